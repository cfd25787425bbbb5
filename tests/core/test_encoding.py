"""Values are encoded as eth_abi does it, and what is of another type is refused."""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi import encode
from hypothesis import given
from hypothesis import strategies as st

from onchain_exec.core import to_address
from onchain_exec.core.encoding import get_encode
from onchain_exec.errors import InputError

ADDRESSES = st.binary(min_size=20, max_size=20)


def _integers(bits: int) -> st.SearchStrategy[tuple[str, Any]]:
    half = 1 << (bits - 1)
    return st.one_of(
        st.tuples(st.just(f"uint{bits}"), st.integers(0, 2 * half - 1)),
        st.tuples(st.just(f"int{bits}"), st.integers(-half, half - 1)),
    )


BASIC = st.one_of(
    st.sampled_from((8, 24, 128, 160, 256)).flatmap(_integers),
    st.tuples(st.just("address"), ADDRESSES | ADDRESSES.map(to_address)),
    st.tuples(st.just("bool"), st.booleans()),
    st.tuples(st.just("bytes"), st.binary(max_size=70)),
    st.tuples(st.just("string"), st.text(max_size=30)),
    st.sampled_from((1, 4, 32)).flatmap(
        lambda size: st.tuples(st.just(f"bytes{size}"), st.binary(max_size=size))
    ),
)


def _nest(inner: st.SearchStrategy[tuple[str, Any]]) -> st.SearchStrategy[tuple[str, Any]]:
    """Return tuples of several typed values, and arrays of several times the same one."""
    tuples = st.lists(inner, min_size=1, max_size=4).map(
        lambda found: (f"({','.join(kind for kind, _ in found)})", tuple(value for _, value in found))
    )
    arrays = st.tuples(inner, st.integers(0, 3)).map(
        lambda found: (f"{found[0][0]}[]", [found[0][1]] * found[1])
    )
    fixed = st.tuples(inner, st.integers(1, 3)).map(
        lambda found: (f"{found[0][0]}[{found[1]}]", [found[0][1]] * found[1])
    )
    return tuples | arrays | fixed


TYPED = st.recursive(BASIC, _nest, max_leaves=6)


@given(st.lists(TYPED, max_size=5))
def test_get_encode_of_any_typed_values_equals_eth_abi(typed: list[tuple[str, Any]]) -> None:
    types, values = tuple(kind for kind, _ in typed), [value for _, value in typed]
    assert get_encode(types)(values) == encode(types, values)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        *(("address", value) for value in ("0x12", "0x" + "zz" * 20, b"1" * 19, None, 5, "0x" + "1" * 41)),
        *(("uint8", value) for value in (-1, 256, True, 1.0, "1", None)),
        *(("int8", value) for value in (-129, 128)),
        *(("bool", value) for value in (0, 1, "true")),
        *(("bytes4", value) for value in (b"12345", "1234")),
        ("bytes", "text"),
        ("string", b"bytes"),
        *(("uint256[]", value) for value in (5, b"\1", "12")),
        *(("uint256[2]", value) for value in ([1], [1, 2, 3])),
        *(("(uint256,bool)", value) for value in ((1,), (1, 2), 3)),
    ],
)
def test_get_encode_of_what_is_not_of_the_type_raises_input_error(kind: str, value: object) -> None:
    with pytest.raises(InputError):
        get_encode((kind,))([value])


def test_get_encode_of_a_type_that_no_contract_uses_raises_input_error() -> None:
    with pytest.raises(InputError, match="type fixed"):
        get_encode(("fixed128x18",))
