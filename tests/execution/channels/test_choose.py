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
    Estimate,
    Offers,
    Stakes,
    TrackRecord,
    choose_channel,
    reconsider,
)
from onchain_exec.execution.channels.channel import SHOWN
from onchain_exec.execution.channels.costs import estimate
from onchain_exec.execution.channels.record import PRIORS

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


def test_reconsider_of_what_is_signed_takes_none_of_the_ways_that_sign_something_else():
    """Each would be the cheapest. An intent is shown, and could be filled beside the bytes that are out;
    parts would be sold beside the whole."""
    policy = replace(EVERYTHING, reconsider_blocks=3, fall_back_to_public=True)
    waits = Stakes(10**9, gas_cost=10**6, gas_cost_later=0, impact_cost=10**12, slack=10**6 + 1)
    offers = offer(*SENDING)
    assert choose(waits, offers) in LATER
    assert choose(waits, offers, ChannelPolicy(frozenset(SENDING))) is Channel.INTENT
    found = reconsider(replace(decide(Channel.PRIVATE), stakes=waits), offers, policy, 103)
    assert found is not None
    taken = {estimate.channel for estimate in found.estimates}
    assert taken == set(SENDING) - {Channel.INTENT, Channel.PRIVATE}
    assert dict(found.excluded)[Channel.PRIVATE] == "no block had it for 3 blocks"


def test_reconsider_under_private_only_shows_nothing_that_went_out_before_it():
    """The order went out when nothing was promised; now the desk's policy promises it of all that it has."""
    decision, ways = decide(Channel.PRIVATE), offer(Channel.PUBLIC, Channel.PRIVATE)
    assert reconsider(decision, ways, FALLING_BACK, 103) is not None
    assert reconsider(decision, replace(ways, private_only=True), FALLING_BACK, 103) is None


def test_get_part_loses_by_the_square_what_others_take_and_by_its_share_what_time_takes():
    """One of three parts, rounded up; each pays the gas of a whole transaction."""
    whole = Stakes(9, 10, (0, 6, 7), 11, 12, 19, 31)
    assert whole.get_part(3) == Stakes(1, 2, (0, 2, 3), 11, 12, 3, 11)


def test_choose_channel_splits_by_the_way_that_is_cheapest_for_a_part():
    """The whole is worth hiding, and a quarter of it, with a sixteenth at stake, is not worth the delay."""
    stakes = Stakes(1_600, late_costs=(0, 1_000, 1_000), impact_cost=16_000)
    both = offer(Channel.PUBLIC, Channel.PRIVATE)
    found = choose_channel(stakes, both, EVERYTHING, 1)
    parts = stakes.get_part(4)
    costs = {channel: estimate(channel, parts, PRIORS[channel], EVERYTHING).cost for channel in both.records}
    assert found.estimates[0].channel is Channel.PRIVATE
    assert costs[Channel.PUBLIC] < costs[Channel.PRIVATE]
    split = next(each for each in found.estimates if each.channel is Channel.SPLIT)
    assert split.cost == 4 * costs[Channel.PUBLIC] + 3 * 250


def test_estimate_of_what_is_shared_is_less_by_its_percent_of_what_searchers_pay():
    """Two of four paid, for a back-run of 1,000, of which 90 % come back."""
    found = estimate(Channel.SHARED, Stakes(0, back_run=1_000), TrackRecord(1, 1, 4, 0, 2), EVERYTHING)
    assert {name: cost for name, cost in found.parts if cost} == {"back-run": 1_000, "refund": -450}


def test_describe_ranks_the_chosen_way_first_and_the_others_by_their_cost():
    costs = {Channel.PRIVATE: 3, Channel.WAIT: 2, Channel.PUBLIC: 9, Channel.BUNDLE: 4}
    every = tuple(Estimate(channel, (("gas", cost),)) for channel, cost in costs.items())
    told = replace(decide(Channel.PUBLIC), estimates=every).describe(str)
    assert [part.split()[0] for part in told.split("; ")] == ["public", "wait", "private", "bundle"]


@pytest.mark.parametrize(
    ("name", "least"),
    [("parts", 2), ("wait_blocks", 1), ("refund_percent", 0), ("reconsider_blocks", 1), ("intent_s", 1)],
)
def test_choice_of_a_policy_without_meaning_raises(name, least):
    assert getattr(ChannelPolicy(**{name: least}), name) == least
    with pytest.raises(ConfigError):
        ChannelPolicy(**{name: least - 1})


def test_choice_of_a_policy_that_gets_more_than_all_back_or_sends_nothing_raises():
    assert ChannelPolicy(refund_percent=100).refund_percent == 100
    with pytest.raises(ConfigError, match="101 % refund"):
        ChannelPolicy(refund_percent=101)
    for nothing in ((), LATER):
        with pytest.raises(ConfigError, match="no channel that sends"):
            ChannelPolicy(frozenset(nothing))


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
