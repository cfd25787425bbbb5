"""A path of stand-ins: what is done of it, in which order, without a node."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from oms.builders import BLOCK, CHAIN_ID, TRADER, make_approved, make_order

from onchain_exec.app.path.context import Context, Policy, Step
from onchain_exec.oms import Journal
from onchain_exec.testing.simulated import Fate, MemoryJournal

ORDER = make_order(1)
APPROVED = make_approved(ORDER)


@dataclass
class Stage:
    """``told`` is what was done, in its order."""

    journal: Journal
    told: list[object] = field(default_factory=list)
    policy: Policy = field(default_factory=Policy)

    @property
    def context(self) -> Context:
        steps = {"require_canonical": self.asked("canonical", None), "get_block": self.asked("block", BLOCK)}
        node: Any = SimpleNamespace(chain_id=CHAIN_ID, **steps)
        signer: Any = SimpleNamespace(address=TRADER)
        profile: Any = None
        return Context(
            node, profile, self.journal, self.policy, signer, lambda: BLOCK.timestamp + 1, self.observe
        )

    def observe(self, step: Step, _: object) -> None:
        self.told.append(step)

    def asked(self, name: str, *answers: Any) -> Callable[..., Any]:
        """Return a step that notes its call and gives the answers in turn, the last for ever."""
        left = list(answers)

        async def ask(*_: Any, **__: Any) -> Any:
            self.told.append(name)
            answer = left.pop(0) if len(left) > 1 else left[0]
            if isinstance(answer, Exception):
                raise answer
            return answer

        return ask


def open_stage() -> Stage:
    """Return a stage whose journal has accepted the order."""
    stage = Stage(MemoryJournal(Fate(0), lambda: 0).open())
    stage.journal.append_order(ORDER, APPROVED.quote)
    return stage


def take_steps(stage: Stage, patch: pytest.MonkeyPatch, place: ModuleType, **steps: Any) -> None:
    """Let the steps of a module be told, and give these answers; a tuple is of answers in turn."""
    for name, answer in steps.items():
        answers = answer if isinstance(answer, tuple) else (answer,)
        patch.setattr(place, name, stage.asked(name, *answers))
