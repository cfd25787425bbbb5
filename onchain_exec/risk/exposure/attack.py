"""What a sandwich is, what it costs the attacker, and what it leaves him."""

from __future__ import annotations

from dataclasses import dataclass, field

from onchain_exec.core import Token
from onchain_exec.core.fixed_point import BPS
from onchain_exec.errors import InputError
from onchain_exec.routing import GasModel


@dataclass(frozen=True, slots=True)
class Attacker:
    """What an attack costs whoever makes it.

    ``gas`` prices his swaps, in the token that the route's search maximised (see `Sandwich`); at the base
    fee alone, as whoever builds the block pays himself no tip. ``bribe_bps`` is the part of what is taken
    that goes to the builder. ``capital`` bounds what all front-runs take together, in base units of that
    same token (None: whatever the pools take, as a flash loan gives it), and ``capital_cost_bps`` is what
    it costs. The defaults are the cheapest attacker there is.
    """

    gas: GasModel = field(default_factory=GasModel)
    bribe_bps: int = 0
    capital: int | None = None
    capital_cost_bps: int = 0

    def __post_init__(self) -> None:
        for name in ("bribe_bps", "capital_cost_bps"):
            if not 0 <= getattr(self, name) <= BPS:
                raise InputError(f"{name} is {getattr(self, name)}", needed="0 to 10,000 basis points")
        if self.capital is not None and self.capital < 0:
            raise InputError(f"capital is {self.capital}", needed="0 or more base units")


@dataclass(frozen=True, slots=True)
class FrontRun:
    """A swap before the victim's, in one of its pools and in its direction, that the attacker reverses
    there after it: he sells ``amount_bought`` of token_out for ``amount_back`` of token_in. Base units."""

    pool_key: str
    token_in: Token
    token_out: Token
    amount_in: int
    amount_bought: int
    amount_back: int

    @property
    def gain(self) -> int:
        """Base units of token_in; negative where this one only pays for the others."""
        return self.amount_back - self.amount_in


@dataclass(frozen=True, slots=True)
class Sandwich:
    """An attack on a route: swaps before it and their reversals after it, in exact integers.

    All amounts but the front-runs' own are base units of the token that the route's search maximised:
    token_out for Exact.IN, token_in for Exact.OUT, at the prices of the route's pools before the attack.
    ``gross`` is what the front-runs gain, after the pools' fees, rounded up; the costs are rounded down.
    ``victim_loss`` is what the victim gets less than quoted, or pays more. Without ``front_runs`` all is
    zero: nothing can be taken.
    """

    front_runs: tuple[FrontRun, ...] = ()
    capital: int = 0
    gross: int = 0
    gas_cost: int = 0
    bribe: int = 0
    capital_cost: int = 0
    victim_loss: int = 0

    @property
    def net(self) -> int:
        """What is left to the attacker."""
        return self.gross - self.gas_cost - self.bribe - self.capital_cost

    @property
    def pays(self) -> bool:
        """Whether anyone would do it."""
        return self.net > 0
