"""What the clients and providers mean by their error objects.

JSON-RPC fixes only a few codes, and the clients use the rest as they like: geth answers most with
-32000 and another text, anvil with -32003, Nethermind with -32015, providers with their own. Each
question asked of an error has one function here, so that a dialect is learnt in one place; what
asks to slow down is in `rate_limits`, what a pool says of a transaction in `execution.refusals`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from onchain_exec.errors import NodeRefusedError

_NO_BLOCK: Final = re.compile(
    r"header (for hash )?not found|block not found|unknown block|resource not found|BlockOutOfRange"
    r"|not currently canonical|hash is not canonical|could not find (the )?block|cannot find (the )?block"
    r"|missing trie node|(historical )?state .{0,60}(not available|unavailable)|pruned|no state available",
    re.IGNORECASE,
)
_REVERT: Final = re.compile(r"revert", re.IGNORECASE)
_HALT: Final = re.compile(
    r"EVM error|invalid opcode|invalid jump|out of gas|stack (underflow|overflow|limit)|bad instruction"
    r"|write protection|static state change|return data out of bounds|gas uint64 overflow",
    re.IGNORECASE,
)
"""The EVM stopped without a revert: everything is undone and there is no data."""

_NO_EIP_1898: Final = re.compile(
    r"invalid (argument|params|type|block)|cannot unmarshal|unexpected token|unsupported|deserializ"
    r"|parse error",
    re.IGNORECASE,
)
_INDEXING: Final = re.compile(r"indexing is in progress", re.IGNORECASE)
_HEX_DATA: Final = re.compile(r"0x[0-9a-fA-F]*")
_NODE_CODES: Final = frozenset({-32700, -32601, -32600})
"""Parse error, no such method, invalid request: the EVM never ran."""


def is_block_missing(error: NodeRefusedError) -> bool:
    """Return whether the node lacks the block, or its state: it lags, pruned it, or a reorg dropped it."""
    return get_revert_data(error) is None and bool(_NO_BLOCK.search(error.rpc_message))


def is_eip1898_unknown(error: NodeRefusedError) -> bool:
    """Return whether the node may not take ``{"blockHash": ...}`` where a block is named."""
    if is_block_missing(error) or get_revert_data(error) is not None:
        return False
    return error.rpc_code == -32602 or bool(_NO_EIP_1898.search(error.rpc_message))


def is_indexing(error: NodeRefusedError) -> bool:
    """Return whether the node has the block but has not indexed its transactions yet (geth)."""
    return bool(_INDEXING.search(error.rpc_message))


def get_revert_data(error: NodeRefusedError) -> bytes | None:
    """Return the revert data if the EVM ran and failed, or None if the node itself refused.

    The data is empty when the contract gave none, when the EVM halted (invalid opcode, out of
    gas), and when the node keeps it to itself. Known shapes: code 3 with hex data (geth, reth,
    Erigon, anvil); -32000 "execution reverted" without data; data as "Reverted 0x…" with -32015
    (Nethermind, OpenEthereum); data nested in an object (Hardhat, Ganache).
    """
    if error.rpc_code in _NODE_CODES:
        return None
    ran = error.rpc_code == 3 or _REVERT.search(error.rpc_message) or _HALT.search(error.rpc_message)
    if not ran and error.rpc_code != -32015:
        return None
    return next(_hex_values(error.rpc_data), b"")


def _hex_values(data: Any) -> Iterator[bytes]:
    """Yield each bytes value found in error data, going down into objects."""
    if isinstance(data, str):
        digits = _HEX_DATA.search(data)
        if digits and len(digits[0]) % 2 == 0:
            yield bytes.fromhex(digits[0][2:])
    elif isinstance(data, Mapping):
        for key in ("data", "result", "return", "output", "originalError"):
            yield from _hex_values(data.get(key))
        for value in data.values():
            if isinstance(value, Mapping):
                yield from _hex_values(value)
