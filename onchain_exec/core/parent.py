"""What the trader wants over time: when to trade, in how many parts, at which price, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from onchain_exec.core.address import Address
from onchain_exec.core.condition import Condition
from onchain_exec.core.order import Exact
from onchain_exec.core.token import Token


@dataclass(frozen=True, slots=True)
class ParentOrder:
    """An order that trades by children, each an `Order` of its own.

    Without prices it is a market order; with ``limit_price`` a limit, with ``stop_price`` a stop, with
    several ``slices`` a TWAP; they combine. Prices are base units of token_out per base unit of
    token_in. No child may fill worse than ``limit_price``; nothing is traded before the market is at
    or below ``stop_price``. (Who sells token_in stops a loss by that, who buys token_out enters late.)

    ``amount`` and ``exact`` are as for `Order`. It is cut into ``slices`` parts that
    differ by a unit at most; part i is due ``i * interval_s`` after ``starts_at``. At
    ``expires_at`` (unix seconds; good till time) no more is traded. ``fill_or_kill``: the first
    chance is the only one. ``accounts`` may trade it, and ``recipient`` is paid (None: who trades).
    ``replaces`` names an earlier parent whose fills count towards ``amount``, which is cancelled and
    must have ended for good before this one begins. ``conditions`` are those of each child.
    """

    order_id: str
    client_order_id: str
    accounts: tuple[Address, ...]
    token_in: Token
    token_out: Token
    amount: int
    exact: Exact
    max_slippage_bps: int
    starts_at: int
    expires_at: int
    recipient: Address | None = None
    limit_price: Fraction | None = None
    stop_price: Fraction | None = None
    slices: int = 1
    interval_s: int = 0
    fill_or_kill: bool = False
    replaces: str = ""
    conditions: tuple[Condition, ...] = ()
