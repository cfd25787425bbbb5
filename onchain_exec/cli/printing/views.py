"""Quotes, plans and orders as tables for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from onchain_exec.cli.exits import Exit
from onchain_exec.cli.printing.output import messages, print_facts, print_table, round_tokens
from onchain_exec.core import Exact, Order, Token, format_swap, format_time, format_tokens
from onchain_exec.core.action import VenueCall
from onchain_exec.execution import SimulatedTx
from onchain_exec.execution.channels import Decision
from onchain_exec.oms import OrderState, OrderView
from onchain_exec.oms.book.surroundings import Surroundings
from onchain_exec.oms.book.views import Moves
from onchain_exec.risk import Denied
from onchain_exec.routing import BoundReason, Quote, Route


def print_quote(quote: Quote) -> None:
    """Print a quote: what goes in and comes out, what it costs and why, and its route."""
    order, route = quote.order, quote.route
    token_out = order.token_out
    if order.exact is Exact.IN:
        side, bound = "at least", format_tokens(quote.amount_out_min, token_out)
    else:
        side, bound = "at most", format_tokens(quote.amount_in_max, order.token_in)
    gas = f"{format_tokens(quote.gas_cost_wei, _WEI)} ({route.gas_units:,} gas)"
    if quote.gas_cost_out is not None:
        gas += f" = {format_tokens(quote.gas_cost_out, token_out)}"
    print_facts(
        format_swap(quote.amount_in, order.token_in, quote.amount_out, token_out),
        [
            ("price", f"{quote.price:f} {token_out} per {order.token_in}"),
            ("pool fees", f"{format_tokens(quote.fee_cost, token_out)} ({quote.fee_bps:.2f} bps)"),
            ("price impact", f"{format_tokens(quote.impact_cost, token_out)} ({quote.impact_bps:.2f} bps)"),
            ("gas", gas),
            (side, f"{bound} ({quote.slippage_bps:.4g} bps)"),
            *_list_reasons(quote),
            ("at", str(quote.block)),
        ],
    )
    printformat_swap(route)


_REASONS: Final = {
    BoundReason.GIVEN: "as given",
    BoundReason.POLICY: "the desk's most: no history of the price asks for less",
    BoundReason.VOLATILITY: "as tight as the price's own moves allow",
    BoundReason.SANDWICH: "the widest under which no sandwich pays",
}


def _list_reasons(quote: Quote) -> Iterator[tuple[str, str]]:
    """Yield why the bound lies where it lies, and what follows from it."""
    tolerance = quote.tolerance
    if tolerance is None:
        return
    why = _REASONS[tolerance.reason]
    if tolerance.revert_chance is not None:
        why += f"; the price passes it within {tolerance.blocks} blocks with {tolerance.revert_chance:.1%}"
    yield "why", why
    if tolerance.at_stake:
        lost = format_tokens(tolerance.at_stake, quote.order.priced)
        if tolerance.reason is BoundReason.SANDWICH:
            yield "at stake", f"nothing; under the bound that it would have else {lost}"
        else:
            yield "at stake", f"{lost} to a sandwich, if others see it: send it privately, or allow less"


def printformat_swap(route: Route) -> None:
    """Print every hop: through which pool which share of its token goes, and what comes out."""
    given: Counter[Token] = Counter()
    for hop in route.hops:
        given[hop.token_in] += hop.amount_in
    print_table(
        "Route",
        ("Pool", "#Share", "#In", "#Out"),
        [
            (
                f"{hop.pool.kind} {hop.pool.fee_pips(hop.token_in, hop.token_out) / 100:g} bps "
                f"{hop.pool.address[:8]}…",
                f"{hop.amount_in / given[hop.token_in]:.2%}",
                round_tokens(hop.amount_in, hop.token_in),
                round_tokens(hop.amount_out, hop.token_out),
            )
            for hop in route.hops
        ],
    )


def print_transactions(simulated: SimulatedTx) -> None:
    """Print the unsigned transaction, and before it those it depends on."""
    for step in (*simulated.depends_on, simulated):
        plan = step.plan
        print_facts(
            f"Transaction: {plan.purpose.value}",
            [
                ("from", plan.sender),
                ("to", plan.to),
                ("value", format_tokens(plan.value_wei, _WEI)),
                ("gas", f"{step.gas_used:,} used in simulation, limit {step.gas_limit:,}"),
                ("max fee", f"{plan.fees.max_fee_wei / 1e9:.3f} gwei per gas"),
                ("data", f"{len(plan.data)} bytes, 0x{plan.data[:4].hex()}…"),
            ],
        )


def print_denial(denied: Denied) -> None:
    """Print why an order is refused, on stderr."""
    messages.print(f"[bold yellow]DENIED {denied.code.value}[/]: {denied.found}", highlight=False)
    messages.print(f"  limit: {denied.limit}", highlight=False)
    messages.print(f"  to do: {denied.todo}", highlight=False)


def print_order(view: OrderView) -> None:
    """Print one order with its fill or its failure."""
    facts = [
        ("client id", view.client_order_id),
        ("created", format_time(view.created_at)),
        ("state", view.state.value + (" (final)" if view.final else "")),
        ("transaction", view.tx_hash or "none"),
    ]
    order, quote, fill = view.order, view.quote, view.fill
    if view.decision is not None:
        facts.append(("channel", describe_channel(view.decision, order)))
    if (intent := view.intent) is not None:
        terms = intent.terms
        facts += [
            ("intent", f"{intent.digest} on lane {terms.lane}, until {format_time(terms.deadline_at)}"),
            ("the book said", f"{intent.answer or 'nothing yet'} {intent.reason}".rstrip()),
        ]
    if order is not None and quote is not None:
        facts.append(
            ("quoted", format_swap(quote.amount_in, order.token_in, quote.amount_out, order.token_out))
        )
    if order is not None and fill is not None:
        facts += [
            ("filled", format_swap(fill.amount_in, order.token_in, fill.amount_out, order.token_out)),
            ("against quote", f"{float(fill.slippage_bps):+.4f} bps worse" if fill.slippage_bps else "equal"),
            ("gas paid", format_tokens(fill.gas_cost_wei, _WEI)),
            ("block", str(fill.block_number)),
            *_list_surroundings(order, view.surroundings),
        ]
    if view.action is not None:
        facts += [
            (call.label, _describe_moves(call, moves))
            for call, moves in zip(view.action.calls, view.call_moves, strict=False)
        ]
    if view.failure is not None:
        facts += [
            (view.failure.code, view.failure.found),
            ("needed", view.failure.needed),
            ("to do", view.failure.todo),
        ]
    print_facts(f"Order {view.order_id}", [fact for fact in facts if fact[1]])


def describe_channel(decision: Decision, order: Order | None) -> str:
    """Return which way an order goes out and why, costs in the token that it leaves open."""
    if order is None:
        return decision.describe(str)
    return decision.describe(lambda cost: format_tokens(cost, order.priced))


def _describe_moves(call: VenueCall, moves: Moves) -> str:
    """Return what a call moved of its account's, what left it first, in the tokens that are known and else in
    base units."""
    known = {token.address: token for token in call.tokens}
    return ", ".join(
        f"{'+' if change > 0 else '-'}{format_tokens(abs(change), known[token])}"
        if token in known
        else f"{change:+} base units of {token}"
        for token, change in sorted(moves, key=lambda move: move[1] > 0)
    )


def _list_surroundings(order: Order, found: Surroundings | None) -> list[tuple[str, str]]:
    """Return who was around a fill, one a line, with what the order lost to each."""
    if found is None:
        return [("around", "not looked at")]
    lines = [
        (
            neighbour.kind.value,
            f"lost {format_tokens(neighbour.loss, order.priced)} to "
            + ", ".join(f"{tx_hash[:10]}…" for tx_hash in neighbour.tx_hashes),
        )
        for neighbour in found.neighbours
    ]
    if found.refund_wei:
        lines.append(("refunded", format_tokens(found.refund_wei, _WEI)))
    if not found.is_exact:
        lines.append(("losses", "estimated: the block could not be replayed to the unit"))
    return lines or [("around", "nobody")]


def print_orders(views: tuple[OrderView, ...]) -> None:
    """Print orders, one a line."""
    rows = [
        (
            view.order_id[:8],
            view.client_order_id if view.client_order_id != view.order_id else "",
            view.state.value,
            *_amounts(view),
            _shorten(view.tx_hash or (view.intent.digest if view.intent else "")),
            view.failure.code if view.failure else "",
        )
        for view in views
    ]
    print_table("Orders", ("Order", "Client id", "State", "#Sold", "#Bought", "Hash", "Failure"), rows)


def _shorten(name: str) -> str:
    return name[:10] + "…" if name else ""


def exit_of_order(view: OrderView) -> Exit:
    """Return the exit code that an order's state stands for."""
    match view.state:
        case OrderState.FILLED:
            return Exit.DONE
        case OrderState.DENIED:
            return Exit.DENIED
        case OrderState.NEW | OrderState.WORKING | OrderState.BUSTED | OrderState.CANCEL_PENDING:
            return Exit.UNKNOWN
        case _:
            return Exit.FAILED


def _amounts(view: OrderView) -> tuple[str, str]:
    """Return what was sold and bought: as filled, else the side that the order fixes."""
    order, fill = view.order, view.fill
    if order is None:
        return "", ""
    if fill is not None:
        return format_tokens(fill.amount_in, order.token_in), format_tokens(fill.amount_out, order.token_out)
    if order.exact is Exact.IN:
        return format_tokens(order.amount, order.token_in), ""
    return "", format_tokens(order.amount, order.token_out)


_WEI = Token(0, "", "native", 18)  # type: ignore[arg-type]  # scales wei for people; never an address
