"""OpenTelemetry traces, where the extra ``otel`` is installed: one for each order, with a span for every
step of its path, whichever process took it how far. Its id follows from the order's."""

from __future__ import annotations

import hashlib
import time
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

from onchain_exec.app.path.context import Step
from onchain_exec.core import Order
from onchain_exec.execution import DurableTx, SignedTx, SimulatedTx, TxPlan
from onchain_exec.risk import Approved, Denied
from onchain_exec.routing import Quote

try:
    from opentelemetry import trace
except ImportError:
    trace = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class _Span:
    """What a step took, in unix nanoseconds."""

    step: Step
    made: str
    start_ns: int
    end_ns: int


@dataclass(frozen=True, slots=True)
class _Path:
    """How far a task is with an order: its newest step, and those from before the order had a name."""

    order_id: str | None
    newest: _Span
    unnamed: tuple[_Span, ...] = ()


_PATH: Final[ContextVar[_Path | None]] = ContextVar("path", default=None)


def trace_observed(step: Step, made: Any) -> None:
    """An `Observer` that marks each step as a span of its order's trace, from the end of the step before.

    What a step made may not name the order (pools, a nonce): it is the order that the task is at, or for
    the first steps the one that it comes to.
    """
    if trace is None:
        return
    now_ns = time.time_ns()
    before = None if step is Step.READ else _PATH.get()  # a path begins with it
    order_id = get_order_id(made) or (before.order_id if before else None)
    is_same = before is not None and before.order_id in (None, order_id)
    span = _Span(step, type(made).__name__, before.newest.end_ns if before and is_same else now_ns, now_ns)
    unnamed = before.unnamed if before and is_same else ()
    if order_id is None:
        _PATH.set(_Path(None, span, (*unnamed, span)))
        return
    for done in (*unnamed, span):
        _write(order_id, done)
    _PATH.set(_Path(order_id, span))


def _write(order_id: str, done: _Span) -> None:
    digest = hashlib.sha256(order_id.partition(".")[0].encode()).digest()  # children belong to their parent
    root = trace.SpanContext(
        trace_id=int.from_bytes(digest[:16]),
        span_id=int.from_bytes(digest[16:24]),
        is_remote=True,
        trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED),
    )
    context = trace.set_span_in_context(trace.NonRecordingSpan(root))
    attributes = {"order_id": order_id, "made": done.made}
    tracer = trace.get_tracer("onchain_exec")
    span = tracer.start_span(done.step.value, context, attributes=attributes, start_time=done.start_ns)
    span.end(done.end_ns)


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
