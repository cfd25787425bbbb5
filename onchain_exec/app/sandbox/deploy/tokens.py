"""Wrapped ether as it is on main net, and tokens with the decimals of their namesakes."""

from __future__ import annotations

from onchain_exec.app.sandbox.artifacts import read_contract
from onchain_exec.app.sandbox.evm import Evm
from onchain_exec.core import Token
from onchain_exec.core.artifact import get_artifact
from onchain_exec.core.encoding import encode

DECIMALS = {"USDC": 6, "WBTC": 8, "DAI": 18}
"""The tokens of the sandbox besides WETH; anyone may mint them."""


def deploy_weth(evm: Evm, chain_id: int) -> Token:
    """Deploy WETH9."""
    weth = read_contract("canonical-weth", "build/contracts/WETH9.json")
    return Token(chain_id, evm.deploy(weth.creation_code()), "WETH", 18)


def deploy_token(evm: Evm, chain_id: int, symbol: str, decimals: int) -> Token:
    """Deploy an ERC-20 (our TestToken) that anyone may mint."""
    arguments = encode(["string", "string", "uint8"], [symbol, symbol, decimals])
    return Token(chain_id, evm.deploy(get_artifact("TestToken").bytecode + arguments), symbol, decimals)


def deploy_tokens(evm: Evm, chain_id: int) -> dict[str, Token]:
    """Deploy WETH and the tokens of ``DECIMALS``; return them by symbol."""
    tokens = {"WETH": deploy_weth(evm, chain_id)}
    for symbol, decimals in DECIMALS.items():
        tokens[symbol] = deploy_token(evm, chain_id, symbol, decimals)
    return tokens
