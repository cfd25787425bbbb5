"""The path of a call: rules, faults, node, transcript."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from onchain_exec.testing.lying_node.exchange import Answer, Ask, Backend, Call, Cut, HttpFailure, Result
from onchain_exec.testing.lying_node.faults import Fault
from onchain_exec.testing.lying_node.rules import Rules
from onchain_exec.testing.lying_node.transcript import Entry, Transcript

EVENT = "eth_subscription"
"""The method under which rules and transcript know the events of subscriptions."""


class Proxy:
    """Answers calls as the rules in force have it, and writes down what happened."""

    def __init__(self, backend: Backend, rules: Rules, transcript: Transcript) -> None:
        self.backend, self._rules, self._transcript = backend, rules, transcript

    async def answer(self, calls: Sequence[Call], ask: Ask | None = None) -> list[Answer]:
        """Return the answers to one exchange, in its order; ``ask`` replaces the way to the node.

        Calls go on one after another, each to its end. The first answer that ends the connection is
        the last of the list: what follows it in a batch reached nobody.
        """
        chosen = [self._rules.select(call) for call in calls]
        if ask is None and len(calls) > 1 and not any(chosen):
            return await self._answer_plainly(calls)
        answers: list[Answer] = []
        for call, faults in zip(calls, chosen, strict=True):
            answers.append(await self._answer_one(call, faults, ask or self.backend.ask))
            if isinstance(answers[-1], Cut | HttpFailure):
                break
        return answers

    async def push(self, event: Any) -> Any:
        """Return what a subscriber gets of an event's result, or None for nothing."""
        started = time.perf_counter()
        call = Call(EVENT, event)
        faults = self._rules.select(call)
        for fault in faults:
            if event is not None:
                event = await fault.push(event, self.backend.ask)
        self._transcript.add(Entry(call, faults, (), Result(event), time.perf_counter() - started))
        return event

    async def _answer_plainly(self, calls: Sequence[Call]) -> list[Answer]:
        started = time.perf_counter()
        answers = await self.backend.ask_all(calls)
        took_s = time.perf_counter() - started
        for call, answer in zip(calls, answers, strict=True):
            self._transcript.add(Entry(call, (), (call,), answer, took_s))
        return answers

    async def _answer_one(self, call: Call, faults: tuple[Fault, ...], ask: Ask) -> Answer:
        started = time.perf_counter()
        entry = Entry(call, faults)
        number = self._transcript.add(entry)

        async def reach(asked: Call) -> Answer:
            nonlocal entry
            entry = replace(entry, reached=(*entry.reached, asked))
            self._transcript.update(number, entry)
            return await ask(asked)

        way: Ask = reach
        for fault in reversed(faults):
            way = partial(fault.apply, ask=way)
        answer = await way(call)
        took_s = time.perf_counter() - started
        self._transcript.update(number, replace(entry, answer=answer, took_s=took_s))
        return answer
