"""Several trades of one account in one transaction, all or nothing, where that takes less gas than one each.

They are the calls of one action: the account runs them itself, through the Guard that it lends its code to
(EIP-7702), after the approvals that they need. Each keeps its own bound, deadline and conditions, so nobody
bears another risk than apart, but for one: what fails, fails for all of them.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from onchain_exec.app.path.actions import act, build, decide
from onchain_exec.app.path.context import Context
from onchain_exec.app.path.market import read_tokens
from onchain_exec.app.path.recover import resume_all
from onchain_exec.app.path.run import failures_journalled, prepare, require_signer
from onchain_exec.app.request import Request, require_client_order_id
from onchain_exec.core import Address, Exact, Token, format_tokens
from onchain_exec.core.action import ActionOrder, Spend, VenueCall
from onchain_exec.errors import DuplicateOrderError, InputError, UnsupportedOrderError
from onchain_exec.execution import SimulatedTx
from onchain_exec.execution.simulation.simulate import get_unseen_gas
from onchain_exec.oms import SWAPS, OrderView
from onchain_exec.oms.book.states import UNDECIDED, OrderState
from onchain_exec.risk import Approved, Denied
from onchain_exec.risk.action import ApprovedAction
from onchain_exec.routing import Quote
from onchain_exec.venues.pool import list_protocols


async def continue_together(
    context: Context, trades: Sequence[Request], client_order_id: str | None
) -> OrderView | None:
    """Return the order of the trades that has the client order id, continued if it was open; one of which
    nothing was signed runs as it was accepted, until its deadline.

    Raises:
        DuplicateOrderError: it does something else.
    """
    require_client_order_id(client_order_id)
    earlier = context.journal.find_order(client_order_id) if client_order_id else None
    if earlier is None:
        return None
    block = await context.node.get_block("latest")
    pairs = [await read_tokens(context, block, trade.sell, trade.buy) for trade in trades]
    wanted = [
        _describe(trade.get_base_units(*pair), trade.exact, *pair)
        for trade, pair in zip(trades, pairs, strict=True)
    ]
    if earlier.action is None or [call.label for call in earlier.action.calls] != wanted:
        raise DuplicateOrderError(
            f"client order id {client_order_id!r} belongs to an order that does something else",
            needed=", then ".join(wanted),
            todo="An id names one order for ever; take a new id for a new order",
        )
    if earlier.state is OrderState.NEW:
        return await act(context, await decide(context, earlier.action, block))
    if earlier.state in UNDECIDED:
        await resume_all(context)
    return context.journal.read_order(earlier.order_id)


async def trade_together(context: Context, quotes: Sequence[Quote], client_order_id: str | None) -> OrderView:
    """Trade on all the quotes, or on none; return the order of all, or of the one that is denied: a denial
    leaves the client order id free.

    Raises:
        InputError: fewer than two quotes.
        UnsupportedOrderError: they would take less gas apart.
        OnchainExecError: what failed before anything was signed; the journal has a line of it.
    """
    order_id = uuid.uuid4().hex
    with failures_journalled(context, order_id):
        if len(quotes) < 2:
            raise InputError(f"{len(quotes)} trades", needed="two or more", todo="Give one alone by `sell`")
        apart: list[SimulatedTx] = []
        for quote in quotes:
            found = await prepare(context, quote)
            if isinstance(found, Denied):
                return context.journal.append_denial(quote, found)
            apart.append(found)
        order = ActionOrder(
            order_id=order_id,
            client_order_id=client_order_id or order_id,
            account=require_signer(context).address,
            venue=SWAPS,
            calls=_make_calls(quotes, apart),
            conditions=(),
            expires_at=min(quote.order.expires_at for quote in quotes),
            through=list_protocols(hop for quote in quotes for hop in quote.route.hops),
        )
        verdict = await decide(context, order, await context.node.get_block("latest"))
        if isinstance(verdict, ApprovedAction):
            require_saving(apart, await build(context, verdict))
    return await act(context, verdict)


def _make_calls(quotes: Iterable[Quote], apart: Sequence[SimulatedTx]) -> tuple[VenueCall, ...]:
    """Return the trades as calls of their account. What they may take together stands with the first: several
    may sell one token, and one approval pays for all of them."""
    calls = tuple(
        VenueCall(
            _describe(quote.order.amount, quote.order.exact, quote.order.token_in, quote.order.token_out),
            swap.plan.to,
            swap.plan.data,
            swap.plan.value_wei,
            tokens=(quote.order.token_in, quote.order.token_out),
        )
        for quote, swap in zip(quotes, apart, strict=True)
    )
    most: Counter[tuple[Address, Address]] = Counter()
    for swap in apart:
        if isinstance(swap.plan.cause, Approved):
            quote, account = swap.plan.cause.quote, swap.plan.cause.account
            most[quote.order.token_in.address, account.spender] += quote.amount_in_max
    spends = tuple(Spend(token, amount, spender) for (token, spender), amount in most.items())
    return (replace(calls[0], spends=spends), *calls[1:])


def require_saving(apart: Sequence[SimulatedTx], together: SimulatedTx) -> None:
    """Raise UnsupportedOrderError unless one transaction takes less gas than one for each trade does, with
    the approvals before it; the lending of the code counts."""
    gas_apart = sum(step.gas_used for swap in apart for step in (*swap.depends_on, swap))
    gas_together = together.gas_used + get_unseen_gas(together.plan)
    if gas_together >= gas_apart:
        raise UnsupportedOrderError(
            f"one transaction for {len(apart)} trades takes {gas_together} gas",
            needed=f"less than the {gas_apart} that one for each takes",
            todo="Give them one by one",
        )


def _describe(amount: int, exact: Exact, token_in: Token, token_out: Token) -> str:
    if exact is Exact.IN:
        return f"sell {format_tokens(amount, token_in)} for {token_out.symbol}"
    return f"buy {format_tokens(amount, token_out)} with {token_in.symbol}"
