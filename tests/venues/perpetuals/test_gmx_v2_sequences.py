"""The mirror of GMX v2 foresees what its real contracts did, to the unit."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields, replace

import pytest
from gmx import WORLDS, Deed, get_deeds, get_emitter, list_deeds, start

from onchain_exec.errors import PoolRevertError
from onchain_exec.venues.perpetuals.gmx_v2 import GmxV2Venue
from onchain_exec.venues.perpetuals.gmx_v2.account import read_gmx_v2_account
from onchain_exec.venues.perpetuals.gmx_v2.events import GmxFill, Refused, decode_events, find_outcomes
from onchain_exec.venues.perpetuals.gmx_v2.mirror.state import State
from onchain_exec.venues.perpetuals.gmx_v2.orders import DecreaseSwap, OrderType
from onchain_exec.venues.perpetuals.gmx_v2.reads import SignedPrices


def require_same(foreseen: State, found: State) -> None:
    """Every market, position and shared inventory, field by field."""
    for address, market in foreseen.markets.items():
        for one in fields(market):
            assert getattr(market, one.name) == getattr(found.markets[address], one.name), one.name
    for owner, account in foreseen.accounts.items():
        assert account.holdings == found.accounts[owner].holdings
    assert foreseen.inventories == found.inventories


def require_foreseen(deed: Deed) -> str:
    """Compare what was foreseen with what was recorded; return how it ended."""
    if isinstance(deed.end, str):
        with pytest.raises(PoolRevertError) as refused:
            deed.foresee()
        assert refused.value.reason == deed.end
        require_same(deed.before, deed.after)
        return deed.end
    done = deed.foresee()
    assert [done.size, done.tokens, done.price, done.pnl] == deed.end
    require_same(done.state, deed.after)
    return "liquidate" if deed.order is None else deed.order.kind.name


@pytest.mark.parametrize("number", range(len(WORLDS)))
def test_gmx_v2_random_orders_and_liquidations_equal_contracts(number: int) -> None:
    ended = Counter(require_foreseen(deed) for deed in get_deeds(number))
    assert ended["MARKET_INCREASE"] > 2
    assert ended["MARKET_DECREASE"] > 1


def test_gmx_v2_recorded_deeds_hold_swaps_and_liquidations() -> None:
    done = [deed for deed in list_deeds() if not isinstance(deed.end, str)]
    decreases = [deed for deed in done if deed.order and deed.order.kind is OrderType.MARKET_DECREASE]
    swapped = 0
    for deed in decreases:
        assert deed.order is not None
        plain = replace(deed, order=replace(deed.order, decrease_swap=DecreaseSwap.NONE))
        swapped += plain.foresee().state.markets != deed.after.markets
    assert swapped > 2
    assert sum(deed.order is None for deed in done) > 3


def test_read_gmx_v2_orders_that_wait_are_what_was_asked_for() -> None:
    (deed,) = (one for one in get_deeds(0) if one.before.accounts[one.owner].requests)
    (request,) = deed.before.accounts[deed.owner].requests
    assert request.order == deed.order
    venue = GmxV2Venue(deed.before)
    (waiting,) = venue.get_requests(deed.owner)
    assert (waiting.key, waiting.market) == (request.key, deed.position.market)
    assert waiting.until_at == request.updated_at + deed.before.rules.request_expiration_s
    buys = deed.position.is_long == (request.order.kind is OrderType.MARKET_INCREASE)
    assert (waiting.size_wad if buys else -waiting.size_wad) >= 0
    assert (waiting.size_wad == 0) == (request.order.size_delta_usd == 0)


def test_read_gmx_v2_account_is_the_owners_of_all_that_was_read() -> None:
    deed = next(one for one in get_deeds(0) if one.before.accounts[one.owner].holdings)
    recording = start(0)
    for step in WORLDS[0]["steps"]:
        if step["at"] == deed.at:
            break
        recording.learn(step["before"])
        recording.learn(step["after"])
    recording.learn(step["before"])
    signed = SignedPrices(deed.at, tuple(deed.before.prices.values()))
    found = recording.perform(read_gmx_v2_account(deed.before.contracts, signed, deed.owner), deed.at)
    assert found.state == GmxV2Venue(deed.before).get_account(deed.owner)
    assert found.venue.state.accounts == {deed.owner: deed.before.accounts[deed.owner]}


def test_find_outcomes_of_recorded_logs_are_what_happened() -> None:
    emitter = get_emitter(WORLDS[0])
    seen = []
    for deed in get_deeds(0):
        if not deed.logs:
            continue
        (outcome,) = find_outcomes(emitter, deed.logs)
        seen.append(type(outcome))
        if isinstance(outcome, Refused):
            assert outcome.reason == deed.end
            assert not outcome.is_frozen
        else:
            require_fill(deed, outcome)
        assert len(decode_events(emitter, deed.logs)) == len(deed.logs) - 1  # one is a token's own
    assert Counter(seen) == {GmxFill: 2, Refused: 1}


def require_fill(deed: Deed, fill: GmxFill) -> None:
    done = deed.foresee()
    assert (fill.owner, fill.position) == (deed.owner, deed.position)
    assert (fill.size, fill.tokens, fill.price, fill.pnl) == (done.size, done.tokens, done.price, done.pnl)
    assert (fill.fees, fill.funding) == (done.fees.without_funding, done.fees.funding)
    before, after = (one.get_holding(deed.owner, deed.position) for one in (deed.before, deed.after))
    assert fill.collateral == after.collateral - before.collateral
