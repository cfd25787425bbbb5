"""Traces and logs say which order a step belongs to."""

import json
import logging
from dataclasses import replace

import pytest
from oms.builders import make_approved, make_denied, make_order, make_plan, make_quote, make_signed

from onchain_exec.app.context import Step
from onchain_exec.server import tracing
from onchain_exec.server.logs import JsonFormatter

ORDER = make_order(1)
PLAN = make_plan(make_approved(ORDER))


class Recorder:
    """Stands for a tracer: keeps what it is told."""

    def __init__(self):
        self.spans = []

    def start_span(self, name, context, attributes):
        span = tracing.trace.get_current_span(context).get_span_context()
        self.spans.append((name, span.trace_id, attributes["order_id"]))
        return self

    def end(self):
        """Ends at once."""


@pytest.mark.parametrize(
    "made",
    [ORDER, make_quote(ORDER), make_approved(ORDER), make_denied(ORDER), PLAN, make_signed(ORDER, 0)],
    ids=lambda made: type(made).__name__,
)
def test_get_order_id_every_step_names_its_order(made):
    assert tracing.get_order_id(made) == ORDER.order_id
    assert tracing.get_order_id(7) is None


def test_trace_observed_parent_and_children_are_one_trace(monkeypatch):
    recorder = Recorder()
    monkeypatch.setattr(tracing.trace, "get_tracer", lambda name: recorder)
    for name in ("p", "p.1", "p.2", "q"):
        tracing.trace_observed(Step.ACCEPTED, replace(ORDER, order_id=name))
    tracing.trace_observed(Step.LEASED, 7)
    traces = {order_id: trace_id for _, trace_id, order_id in recorder.spans}
    assert traces["p"] == traces["p.1"] == traces["p.2"] != traces["q"]
    assert len(recorder.spans) == 4


def test_json_formatter_writes_one_object_with_what_it_was_given():
    record = logging.makeLogRecord({"msg": "waits %s", "args": (1,), "levelname": "INFO", "order_id": "p"})
    line = json.loads(JsonFormatter().format(record))
    assert (line["message"], line["level"], line["order_id"]) == ("waits 1", "INFO", "p")
