"""The mirror of Synthetix v3's perpetuals foresees what the real modules did, to the unit."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields

import pytest
from perps_market import WORLDS, Deed, get_deeds, list_deeds, start

from onchain_exec.core import to_address
from onchain_exec.errors import InputError, PoolRevertError
from onchain_exec.venues.perpetuals.synthetix_v3.account import read_synthetix_v3_account
from onchain_exec.venues.perpetuals.synthetix_v3.events import find_settled
from onchain_exec.venues.perpetuals.synthetix_v3.mirror import orders
from onchain_exec.venues.perpetuals.synthetix_v3.mirror.state import State
from onchain_exec.venues.perpetuals.synthetix_v3.reads import read_synthetix_v3


def require_same(foreseen: State, found: State) -> None:
    """Everything but how many feeds' costs were asked for."""
    for one in fields(foreseen):
        if one.name != "keeper_costs":
            assert getattr(foreseen, one.name) == getattr(found, one.name), one.name


def require_foreseen(deed: Deed) -> str:
    if deed.refused is not None:
        with pytest.raises(PoolRevertError) as refused:
            deed.foresee()
        assert refused.value.reason == deed.refused
        require_same(deed.before, deed.after)
        return deed.refused
    require_same(deed.foresee(), deed.after)
    return deed.name


@pytest.mark.parametrize("number", range(len(WORLDS)))
def test_synthetix_v3_random_deeds_equal_modules(number: int) -> None:
    ended = Counter(require_foreseen(deed) for deed in get_deeds(number))
    assert {"commit", "settle", "modify"} <= ended.keys()
    assert ended.total() == len(WORLDS[number]["steps"])


def test_synthetix_v3_recorded_deeds_hold_liquidations_and_refusals() -> None:
    ended = Counter(deed.refused or deed.name for deed in list_deeds())
    assert ended["liquidate"] > 1
    assert ended["margin"] == ended["pay"] == 1
    assert {"InsufficientMargin", "SettlementWindowNotOpen", "AcceptablePriceExceeded"} <= ended.keys()


def test_find_settled_of_recorded_logs_is_what_was_foreseen() -> None:
    (deed,) = (one for one in get_deeds(0) if one.logs)
    (fill,) = find_settled(deed.before.proxy, deed.logs)
    settled = orders.settle(deed.before, *deed.terms)
    account = deed.terms[0]
    position = deed.after.accounts[account].positions.get(fill.market)
    assert (fill.account, fill.size, fill.new_size) == (
        account,
        settled.size,
        position.size if position else 0,
    )
    assert (fill.fill_price, fill.fee, fill.gained) == (settled.fill_price, settled.fee, settled.gained)


def test_read_synthetix_v3_account_finds_the_owners_first() -> None:
    world = WORLDS[0]
    last = get_deeds(0)[-1]
    recording = start(world)
    for step in world["steps"]:
        recording.learn(step["before"])
        recording.learn(step["after"])
    recording.learn(world["account"])
    owner = to_address(world["owners"][0])
    found = recording.perform(read_synthetix_v3_account(to_address(world["proxy"]), owner), world["at"])
    expected = last.after.accounts[world["accounts"][0]]
    assert found.venue.find_account(owner) == expected


def test_read_synthetix_v3_unknown_market_raises_input_error() -> None:
    world = WORLDS[0]
    recording = start(world)
    recording.learn(world["steps"][0]["before"])
    with pytest.raises(InputError, match=r"no market 300 at .*; needed: one of \[100, 200\]"):
        recording.perform(read_synthetix_v3(to_address(world["proxy"]), (), (300,)), world["at"])
