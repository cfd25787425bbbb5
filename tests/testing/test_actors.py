from collections.abc import Mapping

import pytest

from onchain_exec.app.sandbox import Sandbox
from onchain_exec.core import Token
from onchain_exec.core.abi import Function
from onchain_exec.errors import RevertError
from onchain_exec.testing.actors import WHALE, Actor

_TRANSFER = Function("transfer(address,uint256)", "(bool)")


def test_whale_sale_moves_the_price(whale: Actor, tokens: Mapping[str, Token]) -> None:
    usdc = tokens["USDC"]
    amounts_out = []
    for _ in range(2):
        before = whale.get_balance(usdc)
        whale.sell("WETH", "200", buy="USDC")
        amounts_out.append(whale.get_balance(usdc) - before)
    assert 0 < amounts_out[1] < amounts_out[0]


def test_whale_has_ether_and_a_million_of_each_token(
    fork: Sandbox, whale: Actor, tokens: Mapping[str, Token]
) -> None:
    assert int(fork.chain.request("eth_getBalance", WHALE, "latest"), 16) == 10**24
    for token in tokens.values():
        assert whale.get_balance(token) == 10**6 * 10**token.decimals


def test_call_that_reverts_raises(whale: Actor, tokens: Mapping[str, Token]) -> None:
    usdc = tokens["USDC"]
    too_much = whale.get_balance(usdc) + 1
    with pytest.raises(RevertError):
        whale.call(usdc.address, _TRANSFER.encode(whale.address, too_much))
