"""OpenTelemetry traces, where the extra ``otel`` is installed: one for each order, whichever process took
it how far. Its id follows from the order's."""

from __future__ import annotations

import hashlib
from typing import Any

from onchain_exec.app.context import Step
from onchain_exec.core import Order
from onchain_exec.execution import DurableTx, SignedTx, SimulatedTx, TxPlan
from onchain_exec.risk import Approved, Denied
from onchain_exec.routing import Quote

try:
    from opentelemetry import trace
except ImportError:
    trace = None  # type: ignore[assignment]


def trace_observed(step: Step, made: Any) -> None:
    """An `Observer` that marks what each step made as a span of its order's trace."""
    order_id = get_order_id(made)
    if trace is None or order_id is None:
        return
    digest = hashlib.sha256(order_id.partition(".")[0].encode()).digest()  # children belong to their parent
    root = trace.SpanContext(
        trace_id=int.from_bytes(digest[:16]),
        span_id=int.from_bytes(digest[16:24]),
        is_remote=True,
        trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED),
    )
    context = trace.set_span_in_context(trace.NonRecordingSpan(root))
    attributes = {"order_id": order_id, "made": type(made).__name__}
    trace.get_tracer("onchain_exec").start_span(step.value, context, attributes=attributes).end()


def get_order_id(made: object) -> str | None:
    """Return the id of the order that a step's result is of; None if it does not say."""
    match made:
        case Order() | DurableTx() | TxPlan():
            return made.order_id
        case Quote(order=order) | Denied(order=order):
            return order.order_id
        case Approved(quote=quote):
            return quote.order.order_id
        case SimulatedTx(plan=plan) | SignedTx(simulated=SimulatedTx(plan=plan)):
            return plan.order_id
        case _:
            return None
