"""Tokens: what they say of themselves, and what moved."""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi import encode
from evm_market import BLOCK, Market
from hypothesis import given
from hypothesis import strategies as st

from onchain_exec.app.sandbox.erc20 import approve
from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.core import ZERO_ADDRESS, Address, Answer, Log, Reading, Snapshot, Token, to_address
from onchain_exec.core.abi import Event, Function
from onchain_exec.errors import OnchainExecError, TokenRefusedError, UnknownTokenError
from onchain_exec.venues.erc20 import (
    DEPOSIT,
    TRANSFER,
    WITHDRAWAL,
    get_balance_changes,
    read_allowance,
    read_balances,
    read_token,
    read_tokens,
)

TRADER, POOL, TOKEN = (to_address("0x" + digit * 40) for digit in "123")
REFUSED, NO_CODE = Answer(False, b""), Answer(True, b"")


def word(value: int | Address) -> bytes:
    return value.to_bytes(32) if isinstance(value, int) else bytes.fromhex(value[2:]).rjust(32, b"\0")


def answered(reading: Reading[Any], *answers: Answer) -> Any:
    """Run a reading of one round on these answers."""
    next(reading)
    with pytest.raises(StopIteration) as done:
        reading.send(Snapshot(BLOCK, answers))
    return done.value.value


def text(value: str) -> Answer:
    return Answer(True, encode(["string"], [value]))


@pytest.mark.parametrize(
    "symbol", [text("USDC"), Answer(True, b"USDC".ljust(32, b"\0"))], ids=["string", "bytes32"]
)
def test_read_token_symbol_as_string_or_bytes32_read(symbol: Answer) -> None:
    assert answered(read_token(TOKEN), Answer(True, word(6)), symbol) == Token(1337, TOKEN, "USDC", 6)


@pytest.mark.parametrize(
    ("decimals", "symbol", "error"),
    [
        (REFUSED, REFUSED, UnknownTokenError),
        (NO_CODE, NO_CODE, UnknownTokenError),
        (REFUSED, text("ABC"), TokenRefusedError),
        (Answer(True, word(256)), text("ABC"), TokenRefusedError),
        (Answer(True, word(18)), REFUSED, TokenRefusedError),
        (Answer(True, word(18)), text(""), TokenRefusedError),
        (Answer(True, word(18)), text("A\x1b[31m"), TokenRefusedError),
        (Answer(True, word(18)), text("A" * 65), TokenRefusedError),
        (Answer(True, word(18)), Answer(True, b"\xff" * 32), TokenRefusedError),
        (Answer(True, word(18)), Answer(True, b"\xff" * 40), TokenRefusedError),
    ],
)
def test_read_token_missing_or_lying_facts_refused(
    decimals: Answer, symbol: Answer, error: type[OnchainExecError]
) -> None:
    reading = read_token(TOKEN)
    next(reading)
    with pytest.raises(error):
        reading.send(Snapshot(BLOCK, (decimals, symbol)))


def test_read_token_other_decimals_than_listed_refused() -> None:
    reading = read_token(TOKEN, Token(1337, TOKEN, "USDC", 6))
    next(reading)
    with pytest.raises(TokenRefusedError, match="18 decimals"):
        reading.send(Snapshot(BLOCK, (Answer(True, word(18)), text("USDC"))))


def test_reads_of_deployed_tokens_equal_what_was_deployed(market: Market) -> None:
    addresses = (market.token1.address, market.weth.address, market.token1.address)
    assert market.perform(read_tokens(addresses)) == (market.token1, market.weth, market.token1)
    assert market.perform(read_tokens(addresses[:1], {market.token1.address: market.weth})) == (market.weth,)
    assert market.perform(read_balances(POOL, (market.token0, market.weth))) == (0, 0)
    assert market.perform(read_allowance(market.token0, DEPLOYER, POOL)) == 0
    approve(market.evm, market.token0, DEPLOYER, POOL)
    assert market.perform(read_allowance(market.token0, DEPLOYER, POOL)) == 2**256 - 1


def make_log(token: Address, event: Event, indexed: tuple[Address, ...], amount: int) -> Log:
    return Log(token, (event.topic, *map(word, indexed)), word(amount), 0)


parties = st.sampled_from([TRADER, POOL, ZERO_ADDRESS])
moves = st.lists(st.tuples(parties, parties, st.integers(0, 2**128)))


@given(moves)
def test_get_balance_changes_of_transfers_is_received_less_sent(
    made: list[tuple[Address, Address, int]],
) -> None:
    logs = [make_log(TOKEN, TRANSFER, (sender, to), amount) for sender, to, amount in made]
    change = sum(amount * ((to == TRADER) - (sender == TRADER)) for sender, to, amount in made)
    assert get_balance_changes(logs, TRADER) == ({TOKEN: change} if change else {})


def test_get_balance_changes_counts_wrapping_once(market: Market) -> None:
    evm, weth = market.evm, market.weth.address
    evm.set_balance(TRADER, 10**18)
    evm.call(TRADER, weth, Function("deposit()").encode(), 10**18)
    assert get_balance_changes(evm.logs, TRADER) == {weth: 10**18}
    evm.call(TRADER, weth, Function("withdraw(uint256)").encode(10**17))
    assert get_balance_changes(evm.logs, TRADER) == {weth: -(10**17)}
    # other wrappers write a Transfer beside the Deposit or Withdrawal
    mint = make_log(weth, TRANSFER, (ZERO_ADDRESS, TRADER), 7)
    burn = make_log(weth, TRANSFER, (TRADER, ZERO_ADDRESS), 5)
    logs = [
        make_log(weth, DEPOSIT, (TRADER,), 7), mint, burn, make_log(weth, WITHDRAWAL, (TRADER,), 5)
    ]  # fmt: skip
    assert get_balance_changes(logs, TRADER) == {weth: 2}


def test_get_balance_changes_nft_and_unknown_logs_ignored() -> None:
    nft = Log(TOKEN, (TRANSFER.topic, word(POOL), word(TRADER), word(1)), b"", 0)
    anonymous = Log(TOKEN, (), word(1), 0)
    assert get_balance_changes([nft, anonymous], TRADER) == {}
