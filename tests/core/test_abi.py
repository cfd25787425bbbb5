"""Laws of compiled ABI items, and known selectors and topics."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onchain_exec.core import to_address
from onchain_exec.core.abi import CustomError, Event, Function
from onchain_exec.errors import InputError

EXACT_INPUT_SINGLE = Function(
    "exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))", "(uint256)"
)
addresses = st.binary(min_size=20, max_size=20).map(lambda raw: to_address(raw).lower())


def test_function_selector_is_the_contracts() -> None:
    assert EXACT_INPUT_SINGLE.selector.hex() == "04e45aaf"  # SwapRouter02
    assert Function("getReserves()", "(uint112,uint112,uint32)").selector.hex() == "0902f1ac"


@given(addresses, addresses, st.integers(0, 2**24 - 1), st.integers(0, 2**256 - 1))
def test_function_decode_arguments_of_encode_returns_them(a: str, b: str, fee: int, amount: int) -> None:
    arguments = ((a, b, fee, a, amount, amount // 2, 0),)
    assert EXACT_INPUT_SINGLE.decode_arguments(EXACT_INPUT_SINGLE.encode(*arguments)) == arguments


@given(st.binary(max_size=95))
def test_function_decode_of_too_few_bytes_is_an_input_error(data: bytes) -> None:
    with pytest.raises(InputError, match="getReserves"):
        Function("getReserves()", "(uint256,uint256,uint256)").decode(data)


def test_event_decode_of_a_transfer_returns_its_parts() -> None:
    transfer = Event("Transfer(address,address,uint256)", ("address", "address"), ("uint256",))
    assert transfer.topic.hex() == "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
    sender, recipient = b"\0" * 12 + b"\x11" * 20, b"\0" * 12 + b"\x22" * 20
    indexed, data = transfer.decode((transfer.topic, sender, recipient), (5).to_bytes(32, "big"))
    assert indexed == ("0x" + "11" * 20, "0x" + "22" * 20)
    assert data == (5,)


def test_custom_error_decodes_its_arguments() -> None:
    error = CustomError("V3TooLittleReceived()")
    assert error.name == "V3TooLittleReceived"
    assert error.selector.hex() == "39d35496"
    balance = CustomError("ERC20InsufficientBalance(address,uint256,uint256)")
    data = balance.selector + bytes(12) + b"\x11" * 20 + (1).to_bytes(32, "big") + (2).to_bytes(32, "big")
    assert balance.decode(data) == ("0x" + "11" * 20, 1, 2)
