"""Error objects as the clients and providers write them, and what each question makes of them."""

from typing import Any

import pytest

from onchain_exec.chain.dialects import (
    get_revert_data,
    is_block_missing,
    is_eip1898_unknown,
    is_indexing,
)
from onchain_exec.chain.rate_limits import is_rate_limit
from onchain_exec.errors import NodeRefusedError

DATA = "0x08c379a0" + "00" * 31 + "20" + "00" * 31 + "02" + "4153" + "00" * 30


def _error(code: int, message: str, data: Any = None) -> NodeRefusedError:
    return NodeRefusedError("eth_call", code, message, data)


@pytest.mark.parametrize(
    ("error", "data"),
    [
        pytest.param(_error(3, "execution reverted: AS", DATA), DATA, id="geth, reth, Erigon, anvil"),
        pytest.param(_error(-32000, "execution reverted"), "0x", id="geth without data"),
        pytest.param(_error(-32000, "execution reverted", "0x"), "0x", id="empty data"),
        pytest.param(_error(-32015, "VM execution error.", f"Reverted {DATA}"), DATA, id="Nethermind"),
        pytest.param(
            _error(-32015, "VM execution error.", "Bad instruction fe"), "0x", id="OpenEthereum halt"
        ),
        pytest.param(_error(-32000, "Execution reverted", DATA), DATA, id="Besu"),
        pytest.param(
            _error(
                -32603,
                "Error: VM Exception while processing transaction: reverted with reason string 'AS'",
                {"message": "Error: reverted", "data": DATA},
            ),
            DATA,
            id="Hardhat",
        ),
        pytest.param(
            _error(
                -32000,
                "VM Exception while processing transaction: revert AS",
                {"0xab": {"error": "revert", "program_counter": 7, "return": DATA}, "stack": "o"},
            ),
            DATA,
            id="Ganache",
        ),
        pytest.param(
            _error(-32603, "execution reverted", {"originalError": {"code": 3, "data": DATA}}),
            DATA,
            id="a wallet's wrapper",
        ),
        pytest.param(_error(-32603, "EVM error InvalidFEOpcode"), "0x", id="anvil halt"),
        pytest.param(_error(-32603, "EVM error OutOfGas"), "0x", id="anvil out of gas"),
        pytest.param(_error(-32000, "invalid opcode: INVALID"), "0x", id="geth halt"),
        pytest.param(_error(-32000, "out of gas"), "0x", id="geth out of gas"),
        pytest.param(_error(-32000, "stack underflow (0 <=> 1)"), "0x", id="geth stack"),
    ],
)
def test_get_revert_data_when_the_evm_failed_returns_its_data(error: NodeRefusedError, data: str) -> None:
    assert get_revert_data(error) == bytes.fromhex(data[2:])
    assert not is_block_missing(error)
    assert not is_eip1898_unknown(error)
    assert not is_rate_limit(error)


@pytest.mark.parametrize(
    "error",
    [
        _error(-32601, "the method eth_revert does not exist/is not available"),
        _error(-32700, "parse error"),
        _error(-32602, "invalid argument 0: json: cannot unmarshal"),
        _error(-32003, "Insufficient funds for gas * price + value"),
        _error(-32000, "insufficient funds for gas * price + value: address 0xab have 0 want 1"),
        _error(-32000, "header not found"),
        _error(-32603, "Internal error"),
        _error(-32000, "execution timeout"),
    ],
)
def test_get_revert_data_when_the_node_refused_returns_none(error: NodeRefusedError) -> None:
    assert get_revert_data(error) is None


@pytest.mark.parametrize(
    "error",
    [
        _error(-32000, "header not found"),
        _error(-32000, "header for hash not found"),
        _error(-32000, "hash is not currently canonical"),
        _error(-32001, "Resource not found"),
        _error(-32001, "block not found: hash 0xab"),
        _error(-32000, "Unknown block"),
        _error(-39001, "Unknown block"),
        _error(-32602, "BlockOutOfRangeError: block height is 8 but requested was 9"),
        _error(-32000, "missing trie node 7a1f (path ) state 0x7a1f is not available"),
        _error(-32000, "historical state 0x12 is not available"),
        _error(4444, "pruned history unavailable"),
    ],
)
def test_is_block_missing_in_every_dialect_is_true_and_no_other_question_is(error: NodeRefusedError) -> None:
    assert is_block_missing(error)
    assert not is_eip1898_unknown(error)
    assert not is_rate_limit(error)


@pytest.mark.parametrize(
    "error",
    [
        _error(-32602, "invalid argument 1: json: cannot unmarshal object into Go value of type string"),
        _error(-32602, "Invalid params"),
        _error(-32000, "invalid type: map, expected a string"),
    ],
)
def test_is_eip1898_unknown_when_the_block_object_is_not_understood_is_true(error: NodeRefusedError) -> None:
    assert is_eip1898_unknown(error)
    assert not is_block_missing(error)


def test_is_indexing_when_geth_indexes_is_true() -> None:
    """Catalogue 31."""
    assert is_indexing(_error(-32000, "transaction indexing is in progress"))
    assert not is_indexing(_error(-32000, "nonce too low"))
