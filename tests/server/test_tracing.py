"""Traces and logs say which order a step belongs to."""

import itertools
import json
import logging
from contextvars import Context
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest
from oms.builders import make_approved, make_denied, make_order, make_plan, make_quote, make_signed

from onchain_exec.app.path.context import Step
from onchain_exec.server import tracing
from onchain_exec.server.logs import JsonFormatter

ORDER = make_order(1)
PLAN = make_plan(make_approved(ORDER))


@dataclass
class Span:
    name: str
    trace_id: int
    order_id: str
    start_ns: int
    end_ns: int = 0

    def end(self, end_ns):
        self.end_ns = end_ns


@dataclass
class Recorder:
    """Stands for a tracer: keeps what it is told."""

    spans: list[Span] = field(default_factory=list)

    def start_span(self, name, context, attributes, start_time):
        trace_id = tracing.trace.get_current_span(context).get_span_context().trace_id
        self.spans.append(Span(name, trace_id, attributes["order_id"], start_time))
        return self.spans[-1]


@pytest.fixture
def spans(monkeypatch):
    recorder = Recorder()
    monkeypatch.setattr(tracing.trace, "get_tracer", lambda name: recorder)
    ticks = itertools.count(1_000)
    monkeypatch.setattr(tracing.time, "time_ns", lambda: next(ticks))
    return recorder.spans


@pytest.mark.parametrize(
    "made",
    [ORDER, make_quote(ORDER), make_approved(ORDER), make_denied(ORDER), PLAN, make_signed(ORDER, 0)],
    ids=lambda made: type(made).__name__,
)
def test_get_order_id_every_step_names_its_order(made):
    assert tracing.get_order_id(made) == ORDER.order_id
    assert tracing.get_order_id(7) is None


def observe(*steps):
    """Let a task of its own take these steps."""

    def work():
        for step, made in steps:
            tracing.trace_observed(step, made)

    Context().run(work)


def test_trace_observed_parent_and_children_are_one_trace(spans):
    for name in ("p", "p.1", "p.2", "q"):
        observe((Step.ACCEPTED, replace(ORDER, order_id=name)))
    traces = {span.order_id: span.trace_id for span in spans}
    assert traces["p"] == traces["p.1"] == traces["p.2"] != traces["q"]
    assert len(spans) == 4


def test_trace_observed_every_step_is_a_span_from_the_end_of_the_one_before(spans):
    observe(
        (Step.READ, "pools"),
        (Step.ROUTED, "a route"),
        (Step.QUOTED, make_quote(ORDER)),
        (Step.CHECKED, make_approved(ORDER)),
        (Step.LEASED, 7),
        (Step.SIGNED, make_signed(ORDER, 7)),
        (Step.SENT, "an answer"),
    )
    assert [span.name for span in spans] == [
        *("read", "routed", "quoted", "checked"),
        *("leased", "signed", "sent"),
    ]
    assert {span.order_id for span in spans} == {ORDER.order_id}
    assert all(one.end_ns == next_one.start_ns for one, next_one in pairwise(spans))


def test_trace_observed_another_order_in_the_same_task_begins_anew(spans):
    other = replace(ORDER, order_id="other")
    observe(
        (Step.QUOTED, make_quote(ORDER)),
        (Step.READ, "pools"),
        (Step.QUOTED, make_quote(other)),
        (Step.CHECKED, make_approved(ORDER)),
    )
    assert [(span.name, span.order_id) for span in spans] == [
        ("quoted", ORDER.order_id),
        ("read", "other"),
        ("quoted", "other"),
        ("checked", ORDER.order_id),
    ]
    assert [span.end_ns - span.start_ns for span in spans] == [0, 0, 1, 0]


def test_json_formatter_writes_one_object_with_what_it_was_given():
    record = logging.makeLogRecord({"msg": "waits %s", "args": (1,), "levelname": "INFO", "order_id": "p"})
    line = json.loads(JsonFormatter().format(record))
    assert (line["message"], line["level"], line["order_id"]) == ("waits 1", "INFO", "p")
