"""The channel that is chosen is the cheapest of those that may be used; what the chain showed decides what
costs what, and private_only is no matter of cost."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onchain_exec.errors import ConfigError, UnsupportedOrderError
from onchain_exec.execution.channels import (
    Channel,
    ChannelPolicy,
    Decision,
    Offers,
    Stakes,
    TrackRecord,
    choose_channel,
    reconsider,
)
from onchain_exec.execution.channels.channel import SHOWN
from onchain_exec.execution.channels.costs import estimate

SENDING = (
    Channel.PUBLIC, Channel.PROTECTED, Channel.PRIVATE, Channel.BUNDLE, Channel.SHARED, Channel.INTENT
)  # fmt: skip
LATER = (Channel.SPLIT, Channel.WAIT)
EVERYTHING = ChannelPolicy(frozenset(Channel))
amounts = st.integers(0, 10**30)
counts = st.integers(0, 1_000)


@st.composite
def records(draw: st.DrawFn) -> TrackRecord:
    waited, seen = draw(counts), draw(counts)
    return TrackRecord(
        waited, draw(st.integers(0, waited)), seen, draw(st.integers(0, seen)), draw(st.integers(0, seen))
    )


@st.composite
def stakes(draw: st.DrawFn) -> Stakes:
    late_costs = tuple(sorted(draw(st.lists(amounts, max_size=6))))
    return Stakes(draw(amounts), draw(amounts), late_costs, *(draw(amounts) for _ in range(4)))


@st.composite
def offers(draw: st.DrawFn) -> Offers:
    there = draw(st.sets(st.sampled_from(SENDING), min_size=1))
    return Offers(
        {channel: draw(records()) for channel in SENDING if channel in there},
        {channel: "not there" for channel in SENDING if channel not in there},
        draw(st.booleans()),
    )


policies = st.builds(
    ChannelPolicy,
    st.tuples(st.sets(st.sampled_from(SENDING), min_size=1), st.sets(st.sampled_from(LATER))).map(
        lambda both: frozenset(both[0] | both[1])
    ),
)


@given(stakes(), offers(), policies)
def test_choose_channel_is_the_cheapest_that_may_be_used(stakes, offers, policy):
    usable = {channel for channel in offers.records if channel in policy.allowed}
    usable -= SHOWN if offers.private_only else set()
    usable -= {Channel.INTENT} if stakes.slack <= stakes.gas_cost else set()
    if not usable:
        with pytest.raises(UnsupportedOrderError):
            choose_channel(stakes, offers, policy, 7)
        return
    found = choose_channel(stakes, offers, policy, 7)
    later = set(LATER) & policy.allowed
    assert {estimate.channel for estimate in found.estimates} == usable | later
    assert found.cost == min(estimate.cost for estimate in found.estimates)
    assert {channel for channel, _ in found.excluded} == set(SENDING) - usable
    assert Decision.from_json(json.loads(json.dumps(found.to_json()))) == found
    assert not (found.promised and found.channel in SHOWN)


@given(stakes(), records(), st.sampled_from(SENDING))
def test_estimate_is_no_less_for_a_worse_record_and_more_at_stake(stakes, record, channel):
    record += TrackRecord(1, 1, 1, 0, 0)
    least = estimate(channel, stakes, record, EVERYTHING).cost
    slower = replace(record, waited_blocks=record.waited_blocks + 5)
    harmed = replace(record, seen=record.seen + 1, harmed=record.harmed + 1)
    assert estimate(channel, stakes, slower, EVERYTHING).cost >= least
    if channel is not Channel.SHARED:  # where what is seen also counts for refunds
        assert estimate(channel, stakes, harmed, EVERYTHING).cost >= least
    dearer = replace(stakes, at_stake=stakes.at_stake + 10**18)
    assert estimate(channel, dearer, record, EVERYTHING).cost >= least


def test_estimate_delay_is_the_mean_over_the_blocks_that_it_may_take():
    """Half of the blocks have it: 0 with 1/2, 8 with 1/4, 16 with 1/8, and 24 for all that comes later."""
    found = estimate(Channel.PRIVATE, Stakes(0, late_costs=(0, 8, 16, 24)), TrackRecord(2, 1, 1), EVERYTHING)
    assert dict(found.parts)["delay"] == Fraction(8, 4) + Fraction(16, 8) + Fraction(24, 8)


def offer(*channels: Channel, **more: TrackRecord) -> Offers:
    return Offers({channel: more.get(channel.value, TrackRecord()) for channel in channels}, {})


def choose(stakes: Stakes, offers: Offers, policy: ChannelPolicy = EVERYTHING) -> Channel:
    return choose_channel(stakes, offers, policy, 1).channel


DIRECT = ChannelPolicy()


def test_choose_channel_with_nothing_at_stake_takes_what_is_included_most():
    assert choose(Stakes(0, late_costs=(0, 5)), offer(*SENDING[:4]), DIRECT) is Channel.PUBLIC


def test_describe_names_a_reason_once_with_all_the_ways_that_it_closes():
    missing = {Channel.PRIVATE: "no relay", Channel.PROTECTED: "no endpoint", Channel.BUNDLE: "no relay"}
    only = Offers({Channel.PUBLIC: TrackRecord()}, missing)
    decision = choose_channel(Stakes(0, impact_cost=7), only, DIRECT, 1)
    told = "public 7 wei (impact 7 wei); not protected: no endpoint; not private, bundle: no relay"
    assert sorted(decision.describe("{} wei".format).split("; ")) == sorted(told.split("; "))


def test_choose_channel_with_much_at_stake_hides_it():
    assert choose(Stakes(10**6, late_costs=(0, 1)), offer(*SENDING[:4]), DIRECT) is Channel.BUNDLE


def test_choose_channel_learns_from_the_watch():
    """A protected endpoint behind which others sandwich is as bad as the public pool, and slower."""
    caught = TrackRecord(waited_blocks=400, included=200, seen=200, harmed=190)
    both = offer(Channel.PUBLIC, Channel.PROTECTED)
    assert choose(Stakes(1_000, late_costs=(0, 10)), both, DIRECT) is Channel.PROTECTED
    both = offer(Channel.PUBLIC, Channel.PROTECTED, protected=caught)
    assert choose(Stakes(1_000, late_costs=(0, 10)), both, DIRECT) is Channel.PUBLIC


def test_choose_channel_of_a_relay_that_includes_nothing_goes_elsewhere():
    never = TrackRecord(waited_blocks=400)
    both = offer(Channel.PRIVATE, Channel.PROTECTED, private=never)
    assert choose(Stakes(1_000, late_costs=(0, 100, 200, 300)), both, DIRECT) is Channel.PROTECTED


def test_choose_channel_shares_what_others_pay_to_stand_behind():
    rich = Stakes(0, back_run=10**9, late_costs=(0, 1))
    assert choose(rich, offer(*SENDING), ChannelPolicy(frozenset(SENDING))) is Channel.SHARED


def test_choose_channel_splits_what_moves_the_price_much_and_waits_for_cheaper_gas():
    deep = Stakes(0, gas_cost=10, gas_cost_later=10, impact_cost=10_000)
    assert choose(deep, offer(Channel.PUBLIC)) is Channel.SPLIT
    assert choose(replace(deep, late_costs=(0, 10_000)), offer(Channel.PUBLIC)) is Channel.PUBLIC
    dear_gas = Stakes(0, late_costs=(0, 1, 2, 3), gas_cost=1_000, gas_cost_later=100)
    assert choose(dear_gas, offer(Channel.PUBLIC)) is Channel.WAIT


FALLING_BACK = ChannelPolicy(reconsider_blocks=3, fall_back_to_public=True)


def decide(channel: Channel, *, promised: bool = False) -> Decision:
    return Decision(channel, (), (), 100, Stakes(5), promised)


@pytest.mark.parametrize(
    ("decision", "policy", "block", "after"),
    [
        (decide(Channel.PRIVATE), FALLING_BACK, 102, None),
        (decide(Channel.PRIVATE), FALLING_BACK, 103, Channel.PUBLIC),
        (decide(Channel.PRIVATE, promised=True), FALLING_BACK, 200, None),
        (decide(Channel.PRIVATE), ChannelPolicy(reconsider_blocks=3), 200, None),
        (decide(Channel.PRIVATE), ChannelPolicy(fall_back_to_public=True), 200, None),
        (decide(Channel.PROTECTED), FALLING_BACK, 103, Channel.PRIVATE),
        (decide(Channel.PUBLIC), FALLING_BACK, 200, None),
    ],
)
def test_reconsider_leaves_what_the_policy_does_not_let_go(decision, policy, block, after):
    found = reconsider(decision, offer(Channel.PUBLIC, Channel.PRIVATE), policy, block)
    assert (found and found.channel) is after


def test_choice_of_a_policy_without_meaning_raises():
    for wrong in ({"parts": 1}, {"wait_blocks": 0}, {"refund_percent": 101}, {"reconsider_blocks": 0}):
        with pytest.raises(ConfigError):
            ChannelPolicy(**wrong)
    with pytest.raises(ConfigError):
        ChannelPolicy(frozenset())


def test_estimate_of_an_intent_is_what_its_solver_keeps():
    """The gas of 40 and, once in four times, all of the 100 that the bound leaves beyond it."""
    stakes = Stakes(10**9, back_run=10**9, gas_cost=40, impact_cost=7, slack=140)
    found = estimate(Channel.INTENT, stakes, TrackRecord(4, 1, 4, 1), EVERYTHING)
    assert dict(found.parts) == {"delay": 0, "impact": 7, "solver": 40 + 25}


@pytest.mark.parametrize(("slack", "chosen"), [(41, Channel.INTENT), (40, Channel.PUBLIC)])
def test_choose_channel_takes_the_intent_only_where_a_solver_earns_its_gas(slack, chosen):
    offers = Offers({Channel.PUBLIC: TrackRecord(), Channel.INTENT: TrackRecord()}, {})
    found = choose_channel(Stakes(10**9, gas_cost=40, slack=slack), offers, EVERYTHING, 7)
    assert found.channel in (chosen, Channel.WAIT, Channel.SPLIT)
    assert (Channel.INTENT in dict(found.excluded)) is (chosen is Channel.PUBLIC)
    shown = replace(offers, private_only=True)
    with pytest.raises(UnsupportedOrderError):
        choose_channel(Stakes(10**9, gas_cost=40, slack=slack), shown, EVERYTHING, 7)
