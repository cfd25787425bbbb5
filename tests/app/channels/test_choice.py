"""The choice of a way: what was promised stays so, a wait is one wait, and what is at stake is told in the
token that the order leaves open."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import pytest
from oms.builders import BLOCK, CHAIN_ID, USDC, WETH, make_order, make_quote
from path_stage import APPROVED, ORDER, Stage, open_stage

from onchain_exec.app.channels import choice
from onchain_exec.app.channels.choice import choose_way, decide_channel, get_stakes
from onchain_exec.app.configuration.registry import ChainProfile
from onchain_exec.app.path.context import Context, Policy, Step
from onchain_exec.core import ZERO_ADDRESS, BlockRef, Exact, Order, to_address
from onchain_exec.errors import UnsupportedOrderError
from onchain_exec.execution.channels import Channel, ChannelPolicy, Decision, Offers, Stakes, TrackRecord
from onchain_exec.risk.exposure import Lateness, Volatility
from onchain_exec.routing import GasModel, Network, Quote, Swap, find_route
from onchain_exec.routing import make_quote as take_apart
from onchain_exec.routing.tolerance import BoundReason, Tolerance
from onchain_exec.testing.simulated import Fate, MemoryJournal
from onchain_exec.venues import PoolSet
from onchain_exec.venues.uniswap_v2 import UniswapV2Pool

QUOTE = APPROVED.quote
PROFILE = ChainProfile(CHAIN_ID, "", "", WETH, {}, {})
EVERY_WAY = (Channel.PUBLIC, Channel.PRIVATE, Channel.INTENT)
WAITING = ChannelPolicy(frozenset({Channel.PUBLIC, Channel.WAIT}), wait_blocks=3)
DEAR_GAS = (10**9, 0, 0)


def head(number: int = BLOCK.number, **changes: Any) -> BlockRef:
    return replace(BLOCK, number=number, **changes)


def see(stage: Stage, at: BlockRef = BLOCK, fees: tuple[int, ...] = (), **changes: Any) -> Context:
    """Return the stage's context at a block, before a node that tells these earlier base fees."""

    async def get_block() -> BlockRef:
        return at

    async def fee_history(blocks: int, percentiles: object, newest: BlockRef) -> Any:
        assert newest == at
        return SimpleNamespace(base_fees_wei=fees)

    node: Any = SimpleNamespace(chain_id=CHAIN_ID, get_block=get_block, fee_history=fee_history)
    return replace(stage.context, node=node, profile=PROFILE, **changes)


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> dict[Channel, TrackRecord]:
    """The ways that there are: all that send, until a test takes some away."""
    records = dict.fromkeys(EVERY_WAY, TrackRecord())
    monkeypatch.setattr(choice, "find_offers", lambda _: Offers(records, {}))
    return records


def accept(*, promised: bool) -> Stage:
    stage = Stage(MemoryJournal(Fate(0), lambda: 0).open())
    stage.journal.append_order(ORDER, QUOTE, promised=promised)
    return stage


@pytest.mark.usefixtures("there")
@pytest.mark.parametrize(("promised", "chosen"), [(True, Channel.PRIVATE), (False, Channel.PUBLIC)])
async def test_choose_way_of_what_was_promised_to_stay_private_shows_it_to_nobody(promised, chosen):
    """The desk's policy is no longer that of the promise, and in public it would be mined soonest."""
    stage = accept(promised=promised)
    stage.policy = Policy(channels=ChannelPolicy(frozenset(EVERY_WAY)))
    free = replace(QUOTE, amount_out_min=QUOTE.amount_out)
    decision = await choose_way(see(stage), free)
    assert decision.channel is chosen
    shown = {channel for channel, why in decision.excluded if why == "it was promised to stay private"}
    assert shown == ({Channel.PUBLIC, Channel.INTENT} if promised else set())
    kept = stage.journal.read_order(ORDER.order_id)
    assert (kept.stays_private, kept.decision and kept.decision.channel) == (promised, chosen)
    assert stage.told == [Step.CHANNELLED]


async def test_choose_way_of_a_promise_where_everybody_would_see_it_is_none(there):
    del there[Channel.PRIVATE]
    stage = accept(promised=True)
    with pytest.raises(UnsupportedOrderError, match="it was promised to stay private"):
        await choose_way(see(stage), QUOTE)
    assert stage.journal.read_order(ORDER.order_id).decision is None


@pytest.fixture
def waiting(there: dict[Channel, TrackRecord], monkeypatch: pytest.MonkeyPatch) -> Stage:
    """An order that waits by its choice at `BLOCK`: gas is expected to be nearly free soon."""
    monkeypatch.setattr(
        choice, "get_stakes", lambda _, gas_later, **__: Stakes(0, 0, (), 1_000, int(1_000 * gas_later))
    )
    stage = open_stage()
    stage.policy = Policy(channels=WAITING)
    return stage


def is_told_again(stage: Stage) -> bool:
    """Return whether anything was chosen since this was asked last."""
    told = Step.CHANNELLED in stage.told
    stage.told.clear()
    return told


async def test_choose_way_waits_the_policys_blocks_and_never_again(waiting):
    """However often it is chosen for after the wait: each choice could be for another one."""
    first = await choose_way(see(waiting, head(100), DEAR_GAS), QUOTE)
    assert (first.channel, is_told_again(waiting)) == (Channel.WAIT, True)
    assert await choose_way(see(waiting, head(102), DEAR_GAS), QUOTE) == first
    assert not is_told_again(waiting), "a choice that still holds is not made anew"
    for number in (103, 104, 109):
        later = await choose_way(see(waiting, head(number), DEAR_GAS), QUOTE)
        assert (later.channel, dict(later.excluded)[Channel.WAIT]) == (Channel.PUBLIC, "it has waited")
        assert later.block_number == number


async def test_choose_way_of_an_order_that_went_out_before_waits_may_wait_once(waiting):
    """Its last choice was made when the policy allowed none, so it has not waited."""
    public = Decision(Channel.PUBLIC, (), (), 99, Stakes(0))
    waiting.journal.append_channel(ORDER.order_id, public)
    assert (await choose_way(see(waiting, head(100), DEAR_GAS), QUOTE)).channel is Channel.WAIT


@pytest.mark.parametrize(("left_s", "chosen"), [(36, Channel.PUBLIC), (37, Channel.WAIT)])
@pytest.mark.parametrize("ahead_s", [-20, 20])
async def test_choose_way_waits_into_no_deadline_by_the_later_clock(waiting, left_s, chosen, ahead_s):
    """Three blocks of 12 s each, and so much left by one clock, the desk's or the chain's."""
    later = ORDER.expires_at - left_s
    now, block_at = later + min(ahead_s, 0), later - max(ahead_s, 0)
    decision = await choose_way(see(waiting, head(timestamp=block_at), DEAR_GAS, now=lambda: now), QUOTE)
    assert decision.channel is chosen
    assert dict(decision.excluded).get(Channel.WAIT) == (
        "it would expire first" if chosen is Channel.PUBLIC else None
    )


@pytest.mark.usefixtures("there")
@pytest.mark.parametrize(
    ("newest", "fees", "times"),
    [
        (30, (20, 40, 30), 1),
        (10, (20, 40, 30), 3),
        (60, (20, 40, 30), Fraction(1, 2)),
        (10, (), 1),
        (0, (0, 0), 0),
    ],
)
async def test_choose_way_expects_gas_to_return_to_the_mean_of_the_blocks_before(newest, fees, times):
    stage = open_stage()
    stage.policy = Policy(channels=WAITING)
    priced = replace(QUOTE, gas_cost_out=10**6)
    stakes = (await choose_way(see(stage, head(base_fee_wei=newest), fees), priced)).stakes
    assert stakes.gas_cost > 0
    assert stakes.gas_cost_later == int(stakes.gas_cost * times)


@pytest.mark.usefixtures("there")
@pytest.mark.parametrize("public_pool", [True, False])
def test_decide_channel_where_nobody_sees_what_waits_has_nothing_at_stake(public_pool):
    context = replace(see(open_stage()), profile=replace(PROFILE, public_pool=public_pool))
    stakes = decide_channel(context, QUOTE, BLOCK).stakes
    assert stakes == replace(get_stakes(QUOTE), at_stake=get_stakes(QUOTE).at_stake * public_pool)


@pytest.mark.usefixtures("there")
def test_decide_channel_of_what_settle_does_not_take_makes_no_intent():
    native = make_order(1, token_in=replace(WETH, address=ZERO_ADDRESS))
    stage = open_stage()
    stage.policy = Policy(channels=ChannelPolicy(frozenset(EVERY_WAY)))
    excluded = dict(decide_channel(see(stage), make_quote(native), BLOCK).excluded)
    assert "native" in excluded[Channel.INTENT]


@pytest.mark.parametrize("allowed", [True, False])
@pytest.mark.parametrize("is_there", [True, False])
def test_decide_channel_looks_for_a_back_run_only_where_somebody_may_pay_for_it(
    there, monkeypatch, allowed, is_there
):
    monkeypatch.setattr(choice, "get_back_run", lambda *_: 7)
    if is_there:
        there[Channel.SHARED] = TrackRecord()
    stage = open_stage()
    ways = {Channel.PUBLIC, *([Channel.SHARED] if allowed else [])}
    stage.policy = Policy(channels=ChannelPolicy(frozenset(ways)))
    assert decide_channel(see(stage), QUOTE, BLOCK).stakes.back_run == (7 if allowed and is_there else 0)


GAS = {Exact.IN: GasModel(BLOCK.base_fee_wei, 2e-9), Exact.OUT: GasModel(BLOCK.base_fee_wei, 1.0)}
"""What a wei is worth in USDC, and in WETH."""
POOL = UniswapV2Pool(to_address("0x" + "33" * 20), WETH, USDC, 10**21, 2 * 10**12, 3_000)
"""A thousand WETH at 2,000 USDC: a base unit of the one is worth far less than one of the other."""


def quote_exactly(exact: Exact, bps: int = 100) -> Quote:
    """Return the quote of a sale for some 50 WETH, or for 100,000 USDC."""
    amount = 50 * 10**18 if exact is Exact.IN else 10**11
    order: Order = make_order(1, amount=amount, exact=exact, max_slippage_bps=bps)
    swap = Swap(WETH, USDC, amount, exact)
    route = find_route(swap, Network.build(PoolSet(BLOCK, (POOL,))), GAS[exact])
    return take_apart(order, route, GAS[exact], 0)


@pytest.mark.parametrize("exact", Exact)
def test_get_stakes_are_in_the_token_that_the_order_leaves_open(exact):
    """A quote tells its costs in token_out, whatever its order fixes."""
    quote = quote_exactly(exact)
    stakes = get_stakes(quote, Fraction(3, 2))
    worth = quote.mid_price if exact is Exact.OUT else 1
    assert quote.impact_cost <= stakes.impact_cost * worth < quote.impact_cost + worth
    assert quote.gas_cost_out is not None
    assert stakes.gas_cost * float(worth) == pytest.approx(quote.gas_cost_out, rel=1e-4)
    assert stakes.gas_cost_later == int(stakes.gas_cost * Fraction(3, 2))
    decided = quote.amount_out if exact is Exact.IN else quote.amount_in
    assert stakes.slack == pytest.approx(decided / 100, rel=1e-4)
    assert stakes.late_costs == ()


@pytest.mark.parametrize("exact", Exact)
def test_get_stakes_at_stake_is_what_a_sandwich_takes_within_the_bound(exact):
    wide, tight = get_stakes(quote_exactly(exact)), get_stakes(quote_exactly(exact, 0))
    assert 0 < wide.at_stake <= wide.slack
    assert (tight.at_stake, tight.slack) == (0, 0)


def test_get_stakes_of_what_no_sandwich_can_be_sought_for_is_all_that_the_bound_allows():
    assert get_stakes(QUOTE).at_stake == QUOTE.amount_out - QUOTE.amount_out_min > 0


AT_STAKE = dict.fromkeys(BoundReason, 9) | {BoundReason.SANDWICH: 0}


@pytest.mark.parametrize("reason", BoundReason)
def test_get_stakes_are_what_the_bound_was_reasoned_on(reason):
    """Under a bound that was drawn where no sandwich pays, none does."""
    told = Tolerance(reason, 5, at_stake=9, deviation_per_block=1e-3)
    stakes = get_stakes(replace(quote_exactly(Exact.IN), tolerance=told))
    lateness = Lateness(quote_exactly(Exact.IN).amount_out, Volatility(1e-3))
    assert stakes.at_stake == AT_STAKE[reason]
    assert stakes.late_costs == tuple(lateness.get_adverse(blocks) for blocks in range(12))
    assert stakes.late_costs[0] == 0 < stakes.late_costs[1]
