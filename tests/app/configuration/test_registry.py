"""The data file of the chains: every entry can be used, and ours is where we deploy."""

from __future__ import annotations

import pytest

from onchain_exec.app.configuration.registry import get_chain_profile
from onchain_exec.app.sandbox.sandbox import Sandbox
from onchain_exec.core import Token, to_address
from onchain_exec.errors import ConfigError, UnknownTokenError


@pytest.mark.parametrize("chain_id", [1, 10, 137, 8453, 42161, 1337])
def test_get_chain_profile_of_a_listed_chain_has_what_the_desk_needs(chain_id: int) -> None:
    profile = get_chain_profile(chain_id)
    assert profile.wrapped_native.decimals == 18
    assert profile.get_token("usdc") == profile.tokens["USDC"]
    for protocol, role in (
        ("uniswap_v2", "factory"),
        ("uniswap_v3", "factory"),
        ("uniswap_v3", "swap_router"),
    ):
        assert profile.get_contract(protocol, role) is not None
    addresses = [token.address for token in profile.tokens.values()]
    assert len(set(addresses)) == len(addresses)


def test_get_chain_profile_of_the_local_chain_is_where_the_sandbox_deploys(local_chain: Sandbox) -> None:
    assert get_chain_profile(1337) == local_chain.profile, "run `make contracts`"


@pytest.mark.parametrize(
    ("chain_id", "shown"), [(1, True), (137, True), (1337, True), (10, False), (8453, False)]
)
def test_get_chain_profile_of_a_rollup_shows_nobody_what_waits(chain_id: int, shown: bool) -> None:
    assert get_chain_profile(chain_id).public_pool is shown


def test_get_chain_profile_of_an_unknown_chain_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"8453 \(base\)"):
        get_chain_profile(424242)


def test_get_token_takes_symbols_in_any_case_and_addresses() -> None:
    profile = get_chain_profile(1)
    weth = profile.tokens["WETH"]
    assert profile.get_token("weth") == profile.get_token(weth.address.lower()) == weth
    stranger = to_address("0x" + "42" * 20)
    assert profile.get_token(stranger) == stranger
    assert not isinstance(profile.get_token(stranger), Token)


@pytest.mark.parametrize("name", ["ETH", "0x" + "00" * 20, "0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE"])
def test_get_token_of_the_native_coin_names_its_token(name: str) -> None:
    with pytest.raises(UnknownTokenError, match=r"native coin of .*; needed: a token, for example WETH"):
        get_chain_profile(1).get_token(name)


@pytest.mark.parametrize("name", [5, None, b"\x11" * 20])
def test_get_token_of_what_is_not_text_is_refused(name: object) -> None:
    with pytest.raises(UnknownTokenError, match="needed: text"):
        get_chain_profile(1).get_token(name)  # type: ignore[arg-type]


def test_get_token_of_an_unlisted_symbol_says_what_is_listed() -> None:
    with pytest.raises(UnknownTokenError, match="USDC"):
        get_chain_profile(1).get_token("SHIB")
