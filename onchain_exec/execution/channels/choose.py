"""The choice: the channel that is expected to cost least among those that there are and that may be used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from onchain_exec.errors import UnsupportedOrderError
from onchain_exec.execution.channels.channel import LATER, SHOWN, Channel, ChannelPolicy
from onchain_exec.execution.channels.costs import (
    Estimate,
    Stakes,
    estimate,
    estimate_split,
    estimate_wait,
)
from onchain_exec.execution.channels.record import PRIORS, TrackRecord

_NOT_ALLOWED: Final = "the policy does not allow it"


@dataclass(frozen=True, slots=True)
class Decision:
    """Which way an order goes, what every way would have cost, and why others were no choice.

    It was made on ``block_number`` with these ``stakes``. ``promised`` says that it, or one before it, was
    made under ``private_only``: no later decision makes the order public.
    """

    channel: Channel
    estimates: tuple[Estimate, ...]
    excluded: tuple[tuple[Channel, str], ...]
    block_number: int
    stakes: Stakes
    promised: bool = False

    @property
    def cost(self) -> int:
        """What the chosen channel is expected to cost."""
        return next(found.cost for found in self.estimates if found.channel is self.channel)

    def describe(self, show: Callable[[int], str]) -> str:
        """Return the chosen way, the others and why not the rest as text, costs as ``show`` writes them."""
        ranked = sorted(self.estimates, key=lambda found: (found.channel is not self.channel, found.cost))
        told = [found.describe(show) for found in ranked]
        for why in dict.fromkeys(why for _, why in self.excluded):
            names = [channel.value for channel, reason in self.excluded if reason == why]
            told.append(f"not {', '.join(names)}: {why}")
        return "; ".join(told)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values, costs as text."""
        return {
            "channel": self.channel.value,
            "estimates": {
                found.channel.value: {name: str(cost) for name, cost in found.parts}
                for found in self.estimates
            },
            "excluded": {channel.value: why for channel, why in self.excluded},
            "block_number": self.block_number,
            "stakes": self.stakes.to_json(),
            "promised": self.promised,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Return the decision that `to_json` wrote."""
        return cls(
            Channel(value["channel"]),
            tuple(
                Estimate(Channel(name), tuple((part, int(cost)) for part, cost in parts.items()))
                for name, parts in value["estimates"].items()
            ),
            tuple((Channel(name), why) for name, why in value["excluded"].items()),
            value["block_number"],
            Stakes.from_json(value["stakes"]),
            value["promised"],
        )


@dataclass(frozen=True, slots=True)
class Offers:
    """The channels that there are, with what the chain has shown of each, and why there are no others."""

    records: Mapping[Channel, TrackRecord]
    missing: Mapping[Channel, str]
    private_only: bool = False


def choose_channel(stakes: Stakes, offers: Offers, policy: ChannelPolicy, block_number: int) -> Decision:
    """Return the cheapest way by expected cost, of equal ones the one that blocks have had more often.

    With ``private_only`` what everybody sees is no choice at any price.

    Raises:
        UnsupportedOrderError: no way is left.
    """
    excluded = dict(offers.missing)
    excluded |= {channel: _NOT_ALLOWED for channel in offers.records if channel not in policy.allowed}
    if offers.private_only:
        excluded |= dict.fromkeys(SHOWN & offers.records.keys(), "private_only")
    if Channel.INTENT in offers.records and stakes.slack <= stakes.gas_cost:
        excluded.setdefault(Channel.INTENT, "no solver earns its gas within the bound")
    records = {
        channel: record + PRIORS[channel]
        for channel, record in offers.records.items()
        if channel not in excluded
    }
    if not records:
        told = "; ".join(f"{channel.value}: {why}" for channel, why in excluded.items())
        raise UnsupportedOrderError(f"no way to send it ({told})", needed="one channel")

    def rank(found: Estimate) -> tuple[int, object]:
        return found.cost, -records[found.channel].inclusion_chance

    estimates = sorted(
        (estimate(channel, stakes, record, policy) for channel, record in records.items()), key=rank
    )
    later: list[Estimate] = []
    if Channel.SPLIT in policy.allowed:
        part = stakes.get_part(policy.parts)
        best = min((estimate(channel, part, record, policy) for channel, record in records.items()), key=rank)
        later.append(estimate_split(best, stakes, policy.parts))
    if Channel.WAIT in policy.allowed:
        later.append(estimate_wait(estimates[0], stakes, policy.wait_blocks))
    every = (*estimates, *later)
    chosen = min(every, key=lambda found: found.cost)
    return Decision(
        chosen.channel,
        every,
        tuple(excluded.items()),
        block_number,
        stakes,
        offers.private_only,
    )


def reconsider(
    decision: Decision, offers: Offers, policy: ChannelPolicy, block_number: int
) -> Decision | None:
    """Return another decision about bytes that stand in no block yet, or None to leave them where they are.

    They are left alone before ``policy.reconsider_blocks`` blocks, once they were public, and where there is
    no other way. They become public only by ``fall_back_to_public``, and never if that was promised.
    """
    waited = block_number - decision.block_number
    if not decision.channel.is_private or not policy.reconsider_blocks or waited < policy.reconsider_blocks:
        return None
    missing = {**offers.missing, decision.channel: f"no block had it for {waited} blocks"}
    missing |= dict.fromkeys((*LATER, Channel.INTENT), "it is signed")
    if not policy.fall_back_to_public:
        missing[Channel.PUBLIC] = "it went out privately"
    private_only = decision.promised or offers.private_only
    direct = replace(policy, allowed=policy.allowed - LATER)
    try:
        return choose_channel(
            decision.stakes, Offers(offers.records, missing, private_only), direct, block_number
        )
    except UnsupportedOrderError:
        return None
