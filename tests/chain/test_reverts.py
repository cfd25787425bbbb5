"""Revert data: what was encoded comes back, and nothing raises."""

import pytest
from eth_abi import encode
from hypothesis import given
from hypothesis import strategies as st

from onchain_exec.chain import decode_revert
from onchain_exec.chain.known_errors import KNOWN_ERRORS, STRING_HINTS
from onchain_exec.core.abi import CustomError

ERROR, PANIC = CustomError("Error(string)"), CustomError("Panic(uint256)")
OURS = CustomError("Refused(address,uint256,bytes)", "ask again")
POOL = "0x" + "ab" * 20


def _error(text: str) -> bytes:
    return ERROR.selector + encode(["string"], [text])


@given(st.text())
def test_decode_revert_of_a_string_returns_it(text: str) -> None:
    reverted = decode_revert(_error(text))
    assert (reverted.name, reverted.arguments, reverted.data) == ("Error", (text,), _error(text))


@given(st.integers(0, 2**256 - 1))
def test_decode_revert_of_a_panic_returns_its_code(code: int) -> None:
    reverted = decode_revert(PANIC.selector + encode(["uint256"], [code]))
    assert (reverted.name, reverted.arguments) == ("Panic", (code,))


@given(st.integers(0, 2**256 - 1), st.binary(max_size=80))
def test_decode_revert_of_a_venues_error_returns_its_arguments(amount: int, inner: bytes) -> None:
    data = OURS.selector + encode(["address", "uint256", "bytes"], [POOL, amount, inner])
    reverted = decode_revert(data, (OURS,))
    assert (reverted.name, reverted.arguments) == ("Refused", (POOL, amount, inner))
    assert reverted.todo.startswith("ask again")
    assert decode_revert(data).name == ""


@given(st.binary())
def test_decode_revert_of_any_bytes_returns_them(data: bytes) -> None:
    assert decode_revert(data).data == data


@given(st.sampled_from([ERROR, PANIC, *KNOWN_ERRORS]), st.binary(max_size=200))
def test_decode_revert_of_any_tail_of_a_known_selector_returns_a_name_or_none(
    error: CustomError, tail: bytes
) -> None:
    assert decode_revert(error.selector + tail).name in ("", error.name)


@pytest.mark.parametrize(
    "text", ["SPL", "AS", "TF", "UniswapV2: K", "Too little received", "Transaction too old"]
)
def test_decode_revert_of_a_known_text_says_what_it_means(text: str) -> None:
    assert decode_revert(_error(text)).todo == STRING_HINTS[text] != ""


def _wrap(inner: bytes) -> bytes:
    return CustomError("ExecutionFailed(uint256,bytes)").selector + encode(["uint256", "bytes"], [0, inner])


def test_decode_revert_of_wrapped_errors_tells_the_innermost() -> None:
    wrapped = CustomError("WrappedError(address,bytes4,bytes,bytes)").selector + encode(
        ["address", "bytes4", "bytes", "bytes"], [POOL, b"swap", _error("SPL"), b""]
    )
    reverted = decode_revert(_wrap(wrapped))
    assert reverted.name == "ExecutionFailed"
    assert f"Inside: Error(SPL). {STRING_HINTS['SPL']}" in reverted.todo


def test_decode_revert_of_errors_wrapped_a_thousand_times_returns() -> None:
    """A hostile contract chooses its revert data."""
    data = _error("SPL")
    for _ in range(1_000):
        data = _wrap(data)
    assert "Inside: Error(SPL)" in decode_revert(data).todo


def test_decode_revert_without_data_says_that_no_reason_was_given() -> None:
    assert "no reason given" in str(decode_revert(b""))


def test_known_errors_have_selectors_of_their_own() -> None:
    assert len({error.selector for error in KNOWN_ERRORS}) == len(KNOWN_ERRORS)
