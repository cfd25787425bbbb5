"""The bound of an order that names none: as tight as the price's own moves allow, and why."""

from __future__ import annotations

from dataclasses import dataclass, replace

from onchain_exec.core import Exact
from onchain_exec.risk.exposure.attack import Attacker
from onchain_exec.risk.exposure.lateness import Lateness, Volatility
from onchain_exec.risk.exposure.sandwich import Sandwiches
from onchain_exec.risk.exposure.victim import Victim
from onchain_exec.routing import Quote
from onchain_exec.routing.tolerance import BoundReason, Tolerance


@dataclass(frozen=True, slots=True)
class Inclusion:
    """How an order is to reach the chain: within ``blocks``, needlessly reverted with at most
    ``revert_chance``, seen by everybody before unless it is ``hidden``."""

    blocks: int = 2
    revert_chance: float = 0.01
    hidden: bool = False


def bound_quote(
    quote: Quote, volatility: Volatility | None, attacker: Attacker, inclusion: Inclusion, *, given: bool
) -> Quote:
    """Return the quote with its reason, and a tighter bound where the order names no slippage.

    With ``given`` the bound stays. Otherwise it is the tightest of three: the order's
    ``max_slippage_bps``; what the price moves within the inclusion's blocks but for its chance (a normal
    move without drift), where ``volatility`` is known; and, unless the order is hidden, the widest under
    which no sandwich pays.
    """
    victim = Victim(quote.route)
    sandwiches = Sandwiches(victim, attacker)
    # of the drift of a short history nothing counts: it is mostly noise
    lateness = Lateness(victim.quoted, replace(volatility, drift_per_block=0.0)) if volatility else None
    slack = victim.get_loss(quote.amount_out_min if victim.exact is Exact.IN else quote.amount_in_max)
    reason = BoundReason.GIVEN if given else BoundReason.POLICY
    if (
        lateness
        and not given
        and (moves := lateness.get_slack(inclusion.revert_chance, inclusion.blocks)) < slack
    ):
        slack, reason = moves, BoundReason.VOLATILITY
    at_stake = sandwiches.find(slack).victim_loss
    if at_stake and not given and not inclusion.hidden:
        slack, reason = min(slack, sandwiches.find_safe_slack(slack)), BoundReason.SANDWICH
    tolerance = Tolerance(
        reason,
        inclusion.blocks,
        at_stake,
        volatility.per_block if volatility else None,
        lateness.get_passing_chance(slack, inclusion.blocks) if lateness else None,
    )
    if victim.exact is Exact.IN:
        return replace(quote, amount_out_min=victim.quoted - slack, tolerance=tolerance)
    return replace(quote, amount_in_max=victim.quoted + slack, tolerance=tolerance)
