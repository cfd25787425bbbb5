"""One refusal in the words of every client: data, and a fault that translates a node's words.

The words are those of the clients' sources and of providers' answers; a client that is not listed for
a reason does not give it.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import Final

from onchain_exec.testing.lying_node.exchange import Answer, Ask, Call, Refusal
from onchain_exec.testing.lying_node.faults import Fault


class Client(enum.Enum):
    """Who speaks."""

    GETH = "geth"
    RETH = "reth"
    NETHERMIND = "nethermind"
    ERIGON = "erigon"
    BESU = "besu"
    ANVIL = "anvil"
    PROVIDER = "a provider's gateway"


class Reason(enum.Enum):
    """Why a transaction is not taken; the value finds a reason in the words of anvil and geth."""

    KNOWN = r"already (known|imported)"
    NONCE_TOO_LOW = r"nonce too low"
    REPLACEMENT_UNDERPRICED = r"replacement transaction underpriced"
    UNDERPRICED = r"transaction underpriced|less than block base fee"
    INSUFFICIENT_FUNDS = r"insufficient funds"
    INTRINSIC_GAS = r"intrinsic gas too low"
    BLOCK_GAS_LIMIT = r"exceeds block gas limit|intrinsic gas too high"
    POOL_FULL = r"txpool is full"


_GETH: Final = {
    Reason.KNOWN: Refusal(-32000, "already known"),
    Reason.NONCE_TOO_LOW: Refusal(-32000, "nonce too low: next nonce 8, tx nonce 7"),
    Reason.REPLACEMENT_UNDERPRICED: Refusal(-32000, "replacement transaction underpriced"),
    Reason.UNDERPRICED: Refusal(-32000, "transaction underpriced: gas tip cap 0, minimum needed 1"),
    Reason.INSUFFICIENT_FUNDS: Refusal(
        -32000, "insufficient funds for gas * price + value: balance 0, tx cost 1, overshot 1"
    ),
    Reason.INTRINSIC_GAS: Refusal(-32000, "intrinsic gas too low: gas 20000, minimum needed 21000"),
    Reason.BLOCK_GAS_LIMIT: Refusal(-32000, "exceeds block gas limit"),
    Reason.POOL_FULL: Refusal(-32000, "txpool is full"),
}

WORDS: Final[dict[Client, dict[Reason, Refusal]]] = {
    Client.GETH: _GETH,
    Client.RETH: {
        **_GETH,
        Reason.NONCE_TOO_LOW: Refusal(-32000, "nonce too low: next nonce 8, tx nonce 7"),
        Reason.UNDERPRICED: Refusal(-32000, "transaction underpriced"),
        Reason.INTRINSIC_GAS: Refusal(-32000, "intrinsic gas too low"),
    },
    Client.NETHERMIND: {
        Reason.KNOWN: Refusal(-32010, "AlreadyKnown"),
        Reason.NONCE_TOO_LOW: Refusal(-32010, "OldNonce, Current nonce: 8, nonce of rejected tx: 7."),
        Reason.REPLACEMENT_UNDERPRICED: Refusal(-32010, "ReplacementNotAllowed"),
        Reason.UNDERPRICED: Refusal(-32010, "FeeTooLow, MaxFeePerGas too low."),
        Reason.INSUFFICIENT_FUNDS: Refusal(-32010, "InsufficientFunds, Account balance: 0"),
        Reason.BLOCK_GAS_LIMIT: Refusal(-32010, "GasLimitExceeded, Gas limit: 60000000"),
        Reason.POOL_FULL: Refusal(-32010, "FeeTooLowToCompete"),
    },
    Client.ERIGON: {
        Reason.KNOWN: Refusal(-32000, "ALREADY_EXISTS: already known"),
        Reason.NONCE_TOO_LOW: Refusal(-32000, "INTERNAL_ERROR: nonce too low"),
        Reason.REPLACEMENT_UNDERPRICED: Refusal(-32000, "INTERNAL_ERROR: could not replace existing tx"),
        Reason.UNDERPRICED: Refusal(-32000, "FEE_TOO_LOW: underpriced"),
        Reason.INSUFFICIENT_FUNDS: Refusal(
            -32000, "INTERNAL_ERROR: insufficient funds for gas * price + value"
        ),
        Reason.INTRINSIC_GAS: Refusal(-32000, "INTERNAL_ERROR: intrinsic gas too low"),
        Reason.POOL_FULL: Refusal(-32000, "INTERNAL_ERROR: pending sub-pool is full"),
    },
    Client.BESU: {
        Reason.KNOWN: Refusal(-32000, "Known transaction"),
        Reason.NONCE_TOO_LOW: Refusal(-32001, "Nonce too low"),
        Reason.REPLACEMENT_UNDERPRICED: Refusal(-32000, "Replacement transaction underpriced"),
        Reason.UNDERPRICED: Refusal(-32009, "Gas price below configured minimum gas price"),
        Reason.INSUFFICIENT_FUNDS: Refusal(-32004, "Upfront cost exceeds account balance"),
        Reason.INTRINSIC_GAS: Refusal(-32003, "Intrinsic gas exceeds gas limit"),
        Reason.BLOCK_GAS_LIMIT: Refusal(-32005, "Transaction gas limit exceeds block gas limit"),
    },
    Client.ANVIL: {
        Reason.KNOWN: Refusal(-32003, "transaction already imported"),
        Reason.NONCE_TOO_LOW: Refusal(-32003, "nonce too low"),
        Reason.REPLACEMENT_UNDERPRICED: Refusal(-32003, "replacement transaction underpriced"),
        Reason.UNDERPRICED: Refusal(-32003, "max fee per gas less than block base fee"),
        Reason.INSUFFICIENT_FUNDS: Refusal(-32003, "Insufficient funds for gas * price + value"),
        Reason.INTRINSIC_GAS: Refusal(-32003, "intrinsic gas too low"),
        Reason.BLOCK_GAS_LIMIT: Refusal(
            -32003, "intrinsic gas too high -- tx.gas_limit > env.block.gas_limit"
        ),
    },
    Client.PROVIDER: {
        Reason.KNOWN: Refusal(-32000, "rpc error: already known"),
        Reason.NONCE_TOO_LOW: Refusal(-32000, "rpc error: NONCE_TOO_LOW"),
        Reason.REPLACEMENT_UNDERPRICED: Refusal(-32000, "rpc error: TRANSACTION_REPLACEMENT_UNDERPRICED"),
    },
}

RATE_LIMITS: Final = {
    "alchemy": Refusal(429, "Your app has exceeded its compute units per second capacity."),
    "infura": Refusal(-32005, "daily request count exceeded, request rate limited"),
    "quicknode": Refusal(-32007, "50/second request limit reached - reduce calls per second"),
    "base": Refusal(-32016, "over rate limit"),
    "ankr": Refusal(-32090, "Too many requests, rate limit exceeded"),
}
"""What providers answer inside HTTP 200 when they want less."""


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
