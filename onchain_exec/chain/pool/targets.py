"""What a request asks for, and so which endpoints may answer it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from onchain_exec.chain.wire import Request

_HASH_LENGTH: Final = 66


class Kind(enum.Enum):
    """How a request is answered."""

    CHAIN_ID = "the pool knows it"
    HEAD = "from a look at all heads"
    READ = "by one endpoint, by another where that fails or is slow"
    VIEW = "by one endpoint, which from then on answers alone for that height"
    """State read by number: what another endpoint has there may be of another block."""

    LOOKUP = "by whichever endpoint knows the transaction"
    SEND = "by every endpoint that takes sends"
    ONCE = "by the first endpoint, once: it may change something, or the endpoint remembers it"


@dataclass(frozen=True, slots=True)
class Target:
    """``pin`` is the block that a read names: a hash, a hex number, or a tag."""

    kind: Kind
    pin: str = "latest"

    @property
    def block_hash(self) -> str:
        """The hash that is named, or nothing."""
        return self.pin if len(self.pin) == _HASH_LENGTH else ""

    @property
    def by_number(self) -> bool:
        """Whether a height is named."""
        return self.pin.startswith("0x") and not self.block_hash

    @property
    def moves(self) -> bool:
        """Whether what is named moves with the chain."""
        return not self.pin.startswith("0x")


_BLOCK_AT: Final[Mapping[str, int]] = {
    "eth_call": 1,
    "eth_createAccessList": 1,
    "eth_estimateGas": 1,
    "eth_feeHistory": 1,
    "eth_getBalance": 1,
    "eth_getBlockByHash": 0,
    "eth_getBlockByNumber": 0,
    "eth_getBlockReceipts": 0,
    "eth_getBlockTransactionCountByHash": 0,
    "eth_getBlockTransactionCountByNumber": 0,
    "eth_getCode": 1,
    "eth_getProof": 2,
    "eth_getStorageAt": 2,
    "eth_getTransactionByBlockHashAndIndex": 0,
    "eth_getTransactionByBlockNumberAndIndex": 0,
    "eth_getTransactionCount": 1,
    "eth_simulateV1": 1,
    "debug_traceBlockByHash": 0,
    "debug_traceBlockByNumber": 0,
    "debug_traceCall": 1,
}
"""Reads that name a block, and in which parameter; without it they mean the newest."""

_HEADERS: Final = frozenset({"eth_getBlockByNumber", "eth_feeHistory"})
_PLAIN_READS: Final = frozenset(
    {
        "eth_baseFee",
        "eth_blobBaseFee",
        "eth_gasPrice",
        "eth_maxPriorityFeePerGas",
        "debug_traceTransaction",
        "net_version",
        "web3_clientVersion",
    }
)
_LOOKUPS: Final = frozenset({"eth_getTransactionByHash", "eth_getTransactionReceipt"})


def find_target(request: Request) -> Target:
    """Return how a request is answered. A method that is not known counts as one that changes things."""
    method, params = request
    if method in _BLOCK_AT:
        at = _BLOCK_AT[method]
        pin = _read_pin(params[at] if len(params) > at else "latest")
        is_head = method == "eth_getBlockByNumber" and pin == "latest"
        if is_head:
            return Target(Kind.HEAD)
        is_view = pin.startswith("0x") and len(pin) != _HASH_LENGTH and method not in _HEADERS
        return Target(Kind.VIEW if is_view else Kind.READ, pin)
    if method in _LOOKUPS:
        return Target(Kind.LOOKUP)
    if method == "eth_getLogs":
        return Target(Kind.READ, _read_log_pin(params[0] if params else {}))
    if method in _PLAIN_READS:
        return Target(Kind.READ)
    return Target(_SPECIAL.get(method, Kind.ONCE))


_SPECIAL: Final = {
    "eth_blockNumber": Kind.HEAD,
    "eth_chainId": Kind.CHAIN_ID,
    "eth_sendRawTransaction": Kind.SEND,
}


def _read_pin(block: Any) -> str:
    if isinstance(block, Mapping):
        block = block.get("blockHash") or block.get("blockNumber", "latest")
    return str(block).lower()


def _read_log_pin(wanted: Any) -> str:
    return _read_pin(wanted.get("blockHash") or wanted.get("toBlock") or "latest")
