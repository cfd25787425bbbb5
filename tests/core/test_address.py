"""Laws of addresses: every spelling of the same 20 bytes gives the same text; a typo gives an error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onchain_exec.core import address_bytes, to_address
from onchain_exec.errors import AddressError


@given(st.binary(min_size=20, max_size=20))
def test_to_address_of_any_spelling_is_the_same(raw: bytes) -> None:
    checksummed = to_address(raw)
    assert to_address("0x" + raw.hex()) == to_address("0x" + raw.hex().upper()) == checksummed
    assert to_address(checksummed) == checksummed
    assert address_bytes(checksummed) == raw


@given(st.binary().filter(lambda raw: len(raw) != 20))
def test_to_address_of_other_lengths_is_refused(raw: bytes) -> None:
    with pytest.raises(AddressError):
        to_address(raw)


@pytest.mark.parametrize(
    "bad", [None, 5, "", "0x", "WETH", "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756cC2", "0x" + "g" * 40]
)
def test_to_address_of_a_typo_is_refused(bad: object) -> None:
    with pytest.raises(AddressError, match="checksum"):
        to_address(bad)  # type: ignore[arg-type]
