"""OpenTelemetry spans of an order's steps, where the extra ``otel`` is installed; else nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from onchain_exec.app.context import Step

try:
    from opentelemetry import trace
except ImportError:
    trace = None  # type: ignore[assignment]


@contextmanager
def trace_step(name: str, order_id: str) -> Iterator[None]:
    """Run the block as a span that names the order."""
    if trace is None:
        yield
        return
    with trace.get_tracer("onchain_exec").start_as_current_span(name, attributes={"order_id": order_id}):
        yield


def trace_observed(step: Step, made: Any) -> None:
    """An `Observer` that marks each step of an order's path on the span that is open."""
    if trace is not None:
        trace.get_current_span().add_event(step.value, {"made": type(made).__name__})
