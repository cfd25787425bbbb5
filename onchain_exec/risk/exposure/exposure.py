"""What a route lays open to others under its bound."""

from __future__ import annotations

from dataclasses import dataclass

from onchain_exec.core import Exact, Token
from onchain_exec.risk.exposure.attack import Attacker, Sandwich
from onchain_exec.risk.exposure.lateness import Lateness
from onchain_exec.risk.exposure.sandwich import Sandwiches
from onchain_exec.risk.exposure.victim import Victim
from onchain_exec.routing import Route


@dataclass(frozen=True, slots=True)
class Exposure:
    """The most that others can take of a route that everybody sees before it is mined.

    ``bound`` is the route's ``amount_out_min`` (Exact.IN) or ``amount_in_max`` (Exact.OUT), and
    ``safe_bound`` the widest at which no sandwich pays, or up to a hundredth of what it allows tighter.
    ``sandwich`` is the attack that nets most under ``bound``. ``back_run`` is what closed trades over all
    known pools gain after the route, beyond what they gained before it: nobody loses it, but a builder
    pays for the right to it. ``lateness`` prices delay, None where no history tells how the price moves.
    Amounts are base units of ``priced``.
    """

    route: Route
    bound: int
    safe_bound: int
    sandwich: Sandwich
    back_run: int = 0
    lateness: Lateness | None = None

    @property
    def priced(self) -> Token:
        """The token of all amounts: token_out for Exact.IN, token_in for Exact.OUT."""
        return self.route.priced

    @property
    def slack(self) -> int:
        """What the bound lets the order lose."""
        if self.route.exact is Exact.IN:
            return self.route.amount_out - self.bound
        return self.bound - self.route.amount_in

    @property
    def at_stake(self) -> int:
        """What the order loses to the sandwich that nets most, if one pays; else nothing."""
        return self.sandwich.victim_loss if self.sandwich.pays else 0


def get_exposure(route: Route, bound: int, attacker: Attacker, lateness: Lateness | None = None) -> Exposure:
    """Return what ``attacker`` can take of ``route`` under ``bound``; see `Exposure`.

    ``back_run`` is left at 0: it needs all pools, see `get_back_run`. The search is a numerical one: what
    it finds is exact, and the best but for less than a hundredth.
    """
    victim = Victim(route)
    sandwiches = Sandwiches(victim, attacker)
    slack = victim.get_loss(bound)
    safe_slack = sandwiches.find_safe_slack(victim.quoted)
    safe_bound = victim.quoted - safe_slack if route.exact is Exact.IN else victim.quoted + safe_slack
    return Exposure(route, bound, safe_bound, sandwiches.find(slack), lateness=lateness)
