"""Accounts that tests act through."""

from __future__ import annotations

from dataclasses import dataclass

from onchain_exec.app.sandbox import Sandbox
from onchain_exec.app.sandbox.chain_evm import ChainEvm
from onchain_exec.app.sandbox.erc20 import approve, get_balance
from onchain_exec.core import Address, Token, parse_amount, to_address
from onchain_exec.core.abi import Function

WHALE = to_address("0x" + "5a" * 20)
_EXACT_INPUT_SINGLE = Function(
    "exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))", "(uint256)"
)
_WHALE_WEI = 10**24
_WHALE_WHOLE_TOKENS = 1_000_000


@dataclass(frozen=True, slots=True)
class Actor:
    """An account of a fork that sends without a key."""

    sandbox: Sandbox
    address: Address

    def call(self, to: Address, data: bytes, value_wei: int = 0) -> None:
        """Mine a transaction of this account.

        Raises:
            RevertError: it reverts.
        """
        ChainEvm(self.sandbox.chain).call(self.address, to, data, value_wei)

    def approve(self, token: Token, spender: Address) -> None:
        """Let ``spender`` take any amount of this account's token."""
        approve(ChainEvm(self.sandbox.chain), token, self.address, spender)

    def sell(self, sell: str, amount: str, *, buy: str, fee_pips: int = 500) -> None:
        """Sell whole tokens, by symbol, into one Uniswap v3 pool at whatever price: markets move so.

        Raises:
            RevertError: the pool does not exist, or this account has not so much.
        """
        tokens, router = self.sandbox.deployment.tokens, self.sandbox.deployment.protocols["uniswap_v3"]
        token_in, token_out = tokens[sell], tokens[buy]
        units = parse_amount(amount, token_in)
        self.approve(token_in, router["swap_router"])
        terms = (token_in.address, token_out.address, fee_pips, self.address, units, 0, 0)
        self.call(router["swap_router"], _EXACT_INPUT_SINGLE.encode(terms))

    def get_balance(self, token: Token) -> int:
        """Return what this account holds, in base units."""
        return get_balance(ChainEvm(self.sandbox.chain), token, self.address)


def make_whale(sandbox: Sandbox) -> Actor:
    """Return an account with a million ether and a million of each of the sandbox's tokens."""
    sandbox.chain.set_balance(WHALE, _WHALE_WEI)
    for token in sandbox.deployment.tokens.values():
        sandbox.fund(WHALE, token, _WHALE_WHOLE_TOKENS * 10**token.decimals)
    return Actor(sandbox, WHALE)
