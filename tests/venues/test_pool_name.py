"""What a person calls a pool: any name that a pool writes is read back, and nothing else is a name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onchain_exec.core import to_address
from onchain_exec.errors import AddressError, InputError
from onchain_exec.venues.pool_file import POOL_KINDS
from onchain_exec.venues.pool_name import PoolName, parse_pool_name

addresses = st.binary(min_size=20, max_size=20)
plain_kinds = st.sampled_from([kind for kind in POOL_KINDS if kind != "uniswap_v4"])


@given(plain_kinds, addresses)
def test_parse_of_a_pool_s_key_reads_it_back(kind: str, place: bytes) -> None:
    name = parse_pool_name(f"{kind}:{to_address(place)}")
    assert name == PoolName(kind, place)
    assert (name.address, name.pool_id) == (to_address(place), None)
    assert parse_pool_name(str(name)) == name


@given(st.binary(min_size=32, max_size=32))
def test_parse_of_a_v4_pool_s_id_reads_it_back(pool_id: bytes) -> None:
    name = parse_pool_name(f"uniswap_v4:0x{pool_id.hex()}")
    assert name.pool_id == pool_id
    assert parse_pool_name(str(name)) == name


@given(addresses, st.integers(0, 999_999))
def test_parse_of_a_pair_takes_the_fee_that_no_contract_tells(place: bytes, fee_pips: int) -> None:
    name = parse_pool_name(f"uniswap_v2:{to_address(place)}:{fee_pips}")
    assert name == PoolName("uniswap_v2", place, fee_pips)


@pytest.mark.parametrize("fee", ["-1", "1e3", "1000000", "3_000", "٣", " 3"])
def test_parse_of_a_fee_that_is_none_is_refused(fee: str) -> None:
    with pytest.raises(InputError, match="names no pool"):
        parse_pool_name(f"uniswap_v2:{to_address(bytes(19) + b'x')}:{fee}")


@pytest.mark.parametrize("kind", [kind for kind in POOL_KINDS if kind != "uniswap_v2"])
def test_parse_of_a_fee_after_another_kind_is_refused(kind: str) -> None:
    with pytest.raises(InputError, match="names no pool"):
        parse_pool_name(f"{kind}:{to_address(bytes(19) + b'x')}:3000")


@given(st.text())
def test_parse_of_any_text_is_a_name_or_an_input_error(text: str) -> None:
    for tried in (text, f"uniswap_v3:{text}", f"uniswap_v4:{text}"):
        try:
            name = parse_pool_name(tried)
        except (InputError, AddressError):
            continue
        assert parse_pool_name(str(name)).place == name.place
