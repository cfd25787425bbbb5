"""A fault that translates a node's refusals into the words of another client."""

from __future__ import annotations

import re
from dataclasses import dataclass

from onchain_exec.testing.lying_node.exchange import Answer, Ask, Call, Refusal
from onchain_exec.testing.lying_node.faults import Fault
from onchain_exec.testing.lying_node.words import WORDS, Client, Reason


@dataclass(frozen=True, slots=True)
class Dialect(Fault):
    """The node's refusals of a transaction come in another client's words; what it does not refuse, or
    for a reason that this client does not give, stays as it is."""

    client: Client

    async def apply(self, call: Call, ask: Ask) -> Answer:
        answer = await ask(call)
        if not isinstance(answer, Refusal):
            return answer
        reason = find_reason(answer.message)
        return answer if reason is None else WORDS[self.client].get(reason, answer)


def find_reason(message: str) -> Reason | None:
    """Return why a transaction was refused, from anvil's or geth's words."""
    return next((reason for reason in Reason if re.search(reason.value, message, re.IGNORECASE)), None)
