"""A node that lies on demand, to test what a bot does when its node fails.

`LyingNode` is a proxy in front of any node; a fault is a value, a rule says which calls meet it, and
the transcript says what was asked, what reached the node, and what came back.
"""

from onchain_exec.testing.lying_node.exchange import Answer, Call, Cut, HttpFailure, Refusal, Result
from onchain_exec.testing.lying_node.faults import (
    AnswerWith,
    DeafSocket,
    Duplicate,
    Fault,
    Hang,
    Latency,
    NeverBroadcast,
    Refuse,
    ResetAfter,
    ResetBefore,
    ServerError,
    TooManyRequests,
    Truncated,
)
from onchain_exec.testing.lying_node.node import LyingNode
from onchain_exec.testing.lying_node.rules import Rule
from onchain_exec.testing.lying_node.transcript import Entry, Transcript

__all__ = [
    "Answer",
    "AnswerWith",
    "Call",
    "Cut",
    "DeafSocket",
    "Duplicate",
    "Entry",
    "Fault",
    "Hang",
    "HttpFailure",
    "Latency",
    "LyingNode",
    "NeverBroadcast",
    "Refusal",
    "Refuse",
    "ResetAfter",
    "ResetBefore",
    "Result",
    "Rule",
    "ServerError",
    "TooManyRequests",
    "Transcript",
    "Truncated",
]
