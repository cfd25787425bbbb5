"""What each channel is expected to cost an order, in exact fractions of base units."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Self

from onchain_exec.core.fixed_point import div_up
from onchain_exec.execution.channels.channel import Channel, ChannelPolicy
from onchain_exec.execution.channels.record import TrackRecord


@dataclass(frozen=True, slots=True)
class Stakes:
    """What an order stands to lose, in base units of the token that it leaves open (token_out for Exact.IN).

    ``at_stake`` goes to a sandwich that pays under the order's bound, ``back_run`` is what others earn by
    bringing the pools back in line behind it, ``late_costs[k]`` what being ``k`` blocks later than the next
    costs (the last counts for all later ones, none: nobody knows). ``gas_cost`` is one transaction's now,
    ``gas_cost_later`` after a wait. ``impact_cost`` is what the order takes by moving the price, ``slack``
    what lies between the quote and the order's bound.
    """

    at_stake: int
    back_run: int = 0
    late_costs: tuple[int, ...] = ()
    gas_cost: int = 0
    gas_cost_later: int = 0
    impact_cost: int = 0
    slack: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return them as JSON values, amounts as text."""
        return {
            "at_stake": str(self.at_stake),
            "back_run": str(self.back_run),
            "late_costs": [str(cost) for cost in self.late_costs],
            "gas_cost": str(self.gas_cost),
            "gas_cost_later": str(self.gas_cost_later),
            "impact_cost": str(self.impact_cost),
            "slack": str(self.slack),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Return the stakes that `to_json` wrote."""
        return cls(
            int(value["at_stake"]),
            int(value["back_run"]),
            tuple(int(cost) for cost in value["late_costs"]),
            int(value["gas_cost"]),
            int(value["gas_cost_later"]),
            int(value["impact_cost"]),
            int(value.get("slack", 0)),  # lines from before there were intents do not say
        )

    def get_late_cost(self, blocks: int) -> int:
        """Return what being that many blocks late costs."""
        return self.late_costs[min(blocks, len(self.late_costs) - 1)] if self.late_costs else 0

    def get_part(self, parts: int) -> Stakes:
        """Return what one of so many equal parts stands to lose, each on pools that have recovered: what
        others take grows with the square of the amount, as the price it moves does; rounded up."""
        return replace(
            self,
            at_stake=div_up(self.at_stake, parts**2),
            back_run=div_up(self.back_run, parts**2),
            late_costs=tuple(div_up(cost, parts) for cost in self.late_costs),
            impact_cost=div_up(self.impact_cost, parts**2),
            slack=div_up(self.slack, parts),
        )


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a channel is expected to cost, and why: parts by name, each rounded up; a refund is negative."""

    channel: Channel
    parts: tuple[tuple[str, int], ...]

    @property
    def cost(self) -> int:
        """Base units, as of `Stakes`."""
        return sum(cost for _, cost in self.parts)

    def describe(self, show: Callable[[int], str]) -> str:
        """Return it as text for people, costs as ``show`` writes them."""
        told = " + ".join(f"{name} {show(cost)}" for name, cost in self.parts if cost)
        return f"{self.channel.value} {show(self.cost)}" + (f" ({told})" if told else "")


def estimate(channel: Channel, stakes: Stakes, record: TrackRecord, policy: ChannelPolicy) -> Estimate:
    """Return what sending an order by a channel with this record (its prior included) is expected to cost.
    Who settles an intent pays the gas, and takes it out of what the bound leaves, and all of that where the
    record has it harmed."""
    refund = Fraction(policy.refund_percent, 100) * record.refund_chance * stakes.back_run
    if channel is Channel.INTENT:
        kept = record.harm_chance * max(stakes.slack - stakes.gas_cost, 0)
        settled = {
            "delay": _expect_late_cost(stakes, record.inclusion_chance),
            "impact": Fraction(stakes.impact_cost),
            "solver": stakes.gas_cost + kept,
        }
        return Estimate(channel, tuple((name, _round_up(cost)) for name, cost in settled.items()))
    parts = {
        "attack": record.harm_chance * stakes.at_stake,
        "delay": _expect_late_cost(stakes, record.inclusion_chance),
        "back-run": Fraction(stakes.back_run),
        "refund": -refund if channel is Channel.SHARED else Fraction(),
        "impact": Fraction(stakes.impact_cost),
        "gas": Fraction(stakes.gas_cost),
    }
    return Estimate(channel, tuple((name, _round_up(cost)) for name, cost in parts.items()))


def estimate_split(best: Estimate, stakes: Stakes, parts: int) -> Estimate:
    """Return what it costs to send equal parts, one a block, each as ``best`` says that one part costs."""
    waiting = sum(stakes.get_part(parts).get_late_cost(block) for block in range(parts))
    return Estimate(
        Channel.SPLIT, (*((name, parts * cost) for name, cost in best.parts), ("waiting", waiting))
    )


def estimate_wait(best: Estimate, stakes: Stakes, blocks: int) -> Estimate:
    """Return what it costs to do as ``best`` says, that many blocks later."""
    saved = stakes.gas_cost_later - stakes.gas_cost
    waiting = stakes.get_late_cost(blocks)
    return Estimate(Channel.WAIT, (*best.parts, ("waiting", waiting), ("cheaper gas", saved)))


def _expect_late_cost(stakes: Stakes, chance: Fraction) -> Fraction:
    """Return the mean of the late costs where each block has the transaction with this chance."""
    has, of = chance.as_integer_ratio()
    expected, scale = stakes.get_late_cost(len(stakes.late_costs)), 1
    for cost in reversed(stakes.late_costs):
        expected, scale = has * cost * scale + (of - has) * expected, scale * of
    return Fraction(expected, scale)


def _round_up(cost: Fraction) -> int:
    return -(-cost.numerator // cost.denominator)
