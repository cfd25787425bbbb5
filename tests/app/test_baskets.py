"""Several tokens of an account sold at once, on a chain."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from onchain_exec import Desk
from onchain_exec.app.sandbox.chain_evm import ChainEvm
from onchain_exec.app.sandbox.erc20 import approve, get_balance
from onchain_exec.app.sandbox.sandbox import Sandbox
from onchain_exec.core import Token
from onchain_exec.errors import InputError, RevertError, UnknownTokenError

SOLD = {"WETH": "2", "DAI": "3000", "WBTC": "0.05"}


def test_quote_basket_its_call_brings_what_it_routed(
    desk: Desk, fork: Sandbox, tokens: Mapping[str, Token], fund: Callable[[str, str, str], None]
) -> None:
    trader = fork.trader.address
    for symbol, amount in SOLD.items():
        fund(trader, symbol, amount)
    quote = desk.quote_basket(SOLD, "USDC", max_slippage_bps=30)
    route, (to, calldata, value_wei) = quote.route, quote.call
    assert {token.symbol for token in route.amounts_in} == set(SOLD)
    assert route.searched_amount * 9_970 <= quote.amount_out_min * 10_000 <= route.searched_amount * 10_000
    assert 0 <= route.gap_bps < 10
    evm = ChainEvm(fork.chain)
    with pytest.raises(RevertError):  # without allowances
        evm.call(trader, to, calldata, value_wei)
    for token in route.amounts_in:
        approve(evm, token, trader, to)
    held = {symbol: get_balance(evm, token, trader) for symbol, token in tokens.items()}
    evm.call(trader, to, calldata, value_wei)
    after = {symbol: get_balance(evm, token, trader) for symbol, token in tokens.items()}
    assert after["USDC"] - held["USDC"] == route.searched_amount
    for token, amount in route.amounts_in.items():
        assert held[token.symbol] - after[token.symbol] == amount
        assert get_balance(evm, token, to) == 0


def test_quote_basket_of_bad_input_is_refused(desk: Desk, tokens: Mapping[str, Token]) -> None:
    with pytest.raises(InputError, match="traded for itself"):
        desk.quote_basket({"WETH": "1", "USDC": "1"}, "USDC", max_slippage_bps=30)
    with pytest.raises(InputError, match="twice"):
        desk.quote_basket({"WETH": "1", tokens["WETH"].address: "1"}, "USDC", max_slippage_bps=30)
    with pytest.raises(InputError):
        desk.quote_basket({"WETH": "1"}, "USDC", max_slippage_bps=10_000)
    with pytest.raises(InputError):
        desk.quote_basket({}, "USDC", max_slippage_bps=30)
    with pytest.raises(UnknownTokenError):
        desk.quote_basket({"NOPE": "1"}, "USDC", max_slippage_bps=30)
