"""A node that lies on demand, to test what a bot does when its node fails.

`LyingNode` is a proxy in front of any node; a fault is a value, a rule says which calls meet it, and
the transcript says what was asked, what reached the node, and what came back. `MempoolModel` makes
an anvil behind it answer as geth does.
"""

from typing import TYPE_CHECKING

from onchain_exec.lazy import load_when_asked

if TYPE_CHECKING:
    from onchain_exec.testing.lying_node.dialects import Dialect
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
    from onchain_exec.testing.lying_node.mempool import Limits, MempoolModel, PoolTx, decode_transaction
    from onchain_exec.testing.lying_node.node import LyingNode
    from onchain_exec.testing.lying_node.rules import Rule
    from onchain_exec.testing.lying_node.stale import StaleHead
    from onchain_exec.testing.lying_node.transcript import Entry, Transcript
    from onchain_exec.testing.lying_node.views import (
        DroppedLogs,
        FrozenFinality,
        LateReceipts,
        OrphanedReceipts,
        WrongChainId,
    )
    from onchain_exec.testing.lying_node.words import RATE_LIMITS, WORDS, Client, Reason

__all__ = [
    "RATE_LIMITS",
    "WORDS",
    "Answer",
    "AnswerWith",
    "Call",
    "Client",
    "Cut",
    "DeafSocket",
    "Dialect",
    "DroppedLogs",
    "Duplicate",
    "Entry",
    "Fault",
    "FrozenFinality",
    "Hang",
    "HttpFailure",
    "LateReceipts",
    "Latency",
    "Limits",
    "LyingNode",
    "MempoolModel",
    "NeverBroadcast",
    "OrphanedReceipts",
    "PoolTx",
    "Reason",
    "Refusal",
    "Refuse",
    "ResetAfter",
    "ResetBefore",
    "Result",
    "Rule",
    "ServerError",
    "StaleHead",
    "TooManyRequests",
    "Transcript",
    "Truncated",
    "WrongChainId",
    "decode_transaction",
]

load_when_asked(__name__)
