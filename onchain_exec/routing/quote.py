"""A quote: a route, what it costs and why, and the bound that belongs to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Context, Decimal
from fractions import Fraction

from onchain_exec.core import BlockRef, Exact, Order, Token, format_swap, format_tokens
from onchain_exec.core.fixed_point import BPS, div_up
from onchain_exec.errors import InputError, StaleStateError
from onchain_exec.routing.route import GasModel, Route
from onchain_exec.routing.tolerance import Tolerance
from onchain_exec.venues import Hop

_HUMAN = Context(prec=18)


@dataclass(frozen=True, slots=True)
class Quote:
    """A route for an order, bound to its block; made by `make_quote` only.

    ``mid_price`` is base units of token_out per base unit of token_in, before fees and impact:
    the spot prices of the pools used, at the block, weighted by what each is given.
    The costs are in base units of token_out and add up exactly for both Exact sides:
    ``floor(amount_in * mid_price) = amount_out + fee_cost + impact_cost``. ``gas_cost_wei`` and
    ``gas_cost_out`` (its worth in token_out, None if unknown) stand apart. ``amount_out_min`` and
    ``amount_in_max`` are the bounds this quote was accepted on; the side that ``exact`` fixes
    equals its amount. ``made_at`` is unix seconds. ``tolerance`` is why the bound lies where it does,
    None where nobody asked.
    """

    order: Order
    route: Route
    mid_price: Fraction
    fee_cost: int
    impact_cost: int
    gas_cost_wei: int
    gas_cost_out: int | None
    amount_out_min: int
    amount_in_max: int
    made_at: int
    tolerance: Tolerance | None = None

    def __str__(self) -> str:
        """The quote in a line, for people."""
        order = self.order
        if order.exact is Exact.IN:
            bound = f"at least {format_tokens(self.amount_out_min, order.token_out)}"
        else:
            bound = f"at most {format_tokens(self.amount_in_max, order.token_in)}"
        swap = format_swap(self.amount_in, order.token_in, self.amount_out, order.token_out)
        costs = f"fees {self.fee_bps:.2f} bps, impact {self.impact_bps:.2f} bps, gas {self.gas_cost_wei} wei"
        return f"{swap} at {self.block}, {bound}: {costs}"

    def __repr__(self) -> str:
        return f"<Quote {self}>"

    @property
    def block(self) -> BlockRef:
        """The block this quote belongs to."""
        return self.route.block

    @property
    def amount_in(self) -> int:
        """What the route takes, base units of token_in."""
        return self.route.amount_in

    @property
    def amount_out(self) -> int:
        """What the route gives, base units of token_out."""
        return self.route.amount_out

    @property
    def mid_value(self) -> int:
        """What ``amount_in`` would give at the mid price, rounded down: the sum of the costs' identity."""
        return self.amount_out + self.fee_cost + self.impact_cost

    @property
    def price(self) -> Decimal:
        """Whole token_out per whole token_in, fees and impact included, gas not; 18 digits."""
        decimals = self.order.token_in.decimals - self.order.token_out.decimals
        return _HUMAN.divide(Decimal(self.amount_out), Decimal(self.amount_in)).scaleb(decimals, _HUMAN)

    @property
    def fee_bps(self) -> Decimal:
        """``fee_cost`` as a share of the mid value, in 1e-4; 18 digits."""
        return self._bps(self.fee_cost)

    @property
    def impact_bps(self) -> Decimal:
        """``impact_cost`` as a share of the mid value, in 1e-4; 18 digits."""
        return self._bps(self.impact_cost)

    @property
    def slippage_bps(self) -> Decimal:
        """How far the bound lies from the quote, in 1e-4 of the amount that the market decides; 18 digits."""
        if self.order.exact is Exact.IN:
            slack, decided = self.amount_out - self.amount_out_min, self.amount_out
        else:
            slack, decided = self.amount_in_max - self.amount_in, self.amount_in
        return _HUMAN.divide(Decimal(slack * BPS), Decimal(decided)) if decided else Decimal(0)

    def age_s(self, now: int) -> int:
        """Return the seconds from ``made_at`` to ``now`` (unix seconds), at least 0."""
        return max(0, now - self.made_at)

    def require_fresh(self, now: int, max_age_s: int, block: BlockRef | None = None) -> None:
        """Return if the quote is at most ``max_age_s`` old and, if given, of ``block``.

        Raises:
            StaleStateError: older, or of another block. Nothing is quoted again here: a new quote
                is a new decision.
        """
        if block is not None and block != self.block:
            raise _stale(f"the quote was made at {self.block}", f"a quote at {block}")
        if self.age_s(now) > max_age_s:
            raise _stale(f"the quote is {self.age_s(now)} s old", f"at most {max_age_s} s")

    def _bps(self, cost: int) -> Decimal:
        if not self.mid_value:
            return Decimal(0)
        return _HUMAN.divide(Decimal(cost * BPS), Decimal(self.mid_value))


def _stale(found: str, needed: str) -> StaleStateError:
    return StaleStateError(found, needed=needed, todo="Ask for a new quote and decide on that one")


def make_quote(order: Order, route: Route, gas: GasModel, made_at: int) -> Quote:
    """Return the quote of ``route`` for ``order``: its costs taken apart and its bounds.

    The bound rounds in the trader's favour: ``amount_out_min`` up, ``amount_in_max`` down. Fees
    are valued at the mid price through the pool that took them and round down together, but are at
    most the whole cost (a pool may round the fee of a few base units up); impact is the exact rest,
    never negative for a route without cycles.
    ``gas_cost_out`` rounds up.

    Raises:
        InputError: ``max_slippage_bps`` is not in 0..10,000, or the route is not of this order.
    """
    _require_match(order, route)
    values = get_mid_values(route)
    mid_price = values[route.token_in]
    fees = int(sum(hop.fee_amount * spot * values[hop.token_out] for hop, spot in _spots(route)))
    cost = int(route.amount_in * mid_price) - route.amount_out
    gas_cost_wei = gas.cost_wei(route.gas_units, len(route.hops))
    return Quote(
        order=order,
        route=route,
        mid_price=mid_price,
        fee_cost=min(fees, cost),
        impact_cost=cost - min(fees, cost),
        gas_cost_wei=gas_cost_wei,
        gas_cost_out=_gas_cost_out(gas_cost_wei, gas, route.exact, mid_price),
        amount_out_min=_amount_out_min(order, route),
        amount_in_max=_amount_in_max(order, route),
        made_at=made_at,
    )


def bind_quote(quote: Quote, amount_out_min: int, amount_in_max: int) -> Quote:
    """Return the quote under bounds that were accepted before, on an earlier quote of its order.

    Raises:
        StaleStateError: the market no longer gives them.
    """
    if quote.amount_out < amount_out_min or quote.amount_in > amount_in_max:
        raise _stale(
            f"the market now gives {quote.amount_out} for {quote.amount_in} base units",
            f"at least {amount_out_min} for at most {amount_in_max}, as accepted",
        )
    return replace(quote, amount_out_min=amount_out_min, amount_in_max=amount_in_max)


def _require_match(order: Order, route: Route) -> None:
    if not 0 <= order.max_slippage_bps <= BPS:
        raise InputError(
            f"max_slippage_bps is {order.max_slippage_bps}",
            needed="0 to 10,000 basis points",
            todo="Give hundredths of a percent: 30 is 0.30 %",
        )
    fixed = route.amount_in if route.exact is Exact.IN else route.amount_out
    wanted = (order.token_in, order.token_out, order.exact, order.amount)
    if (route.token_in, route.token_out, route.exact, fixed) != wanted:
        raise InputError(
            "the route fills other terms than the order's",
            needed=f"exact {order.exact.value} {order.amount} of {order.token_in} for {order.token_out}",
        )


def _spots(route: Route) -> list[tuple[Hop, Fraction]]:
    """Return each hop with its pool's spot price at the block, before the route moved it."""
    first = {hop.pool.key: hop.pool for hop in reversed(route.hops)}
    return [(hop, first[hop.pool.key].spot_price(hop.token_in, hop.token_out)) for hop in route.hops]


def get_mid_values(route: Route) -> dict[Token, Fraction]:
    """Return base units of token_out that one base unit of each token on the route is worth.

    A token is worth what the hops that leave it make of it at their spot prices, weighted by the
    amounts they take; the hops form no cycle.
    """
    leaving: dict[Token, list[tuple[Hop, Fraction]]] = {}
    for hop, spot in _spots(route):
        leaving.setdefault(hop.token_in, []).append((hop, spot))
    values = {route.token_out: Fraction(1)}

    def value(token: Token) -> Fraction:
        if token not in values:
            worth = sum(hop.amount_in * spot * value(hop.token_out) for hop, spot in leaving[token])
            values[token] = Fraction(worth) / sum(hop.amount_in for hop, _ in leaving[token])
        return values[token]

    value(route.token_in)
    return values


def _gas_cost_out(gas_cost_wei: int, gas: GasModel, exact: Exact, mid_price: Fraction) -> int | None:
    if gas_cost_wei and not gas.token_per_wei:
        return None
    out_per_wei = Fraction(gas.token_per_wei) * (1 if exact is Exact.IN else mid_price)
    return -int(-gas_cost_wei * out_per_wei // 1)


def _amount_out_min(order: Order, route: Route) -> int:
    if route.exact is Exact.OUT:
        return route.amount_out
    return div_up(route.amount_out * (BPS - order.max_slippage_bps), BPS)


def _amount_in_max(order: Order, route: Route) -> int:
    if route.exact is Exact.IN:
        return route.amount_in
    return route.amount_in * (BPS + order.max_slippage_bps) // BPS
