"""The main job through the front door, on real contracts."""

from __future__ import annotations

import dataclasses
import inspect
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from chain_facts import balance_of, nonce_of

from onchain_exec import AsyncDesk, Desk, Exact, Limits, LocalSigner, OrderState, Policy, Request
from onchain_exec.app.path.context import Step
from onchain_exec.app.sandbox.sandbox import Sandbox
from onchain_exec.errors import (
    AmountError,
    BlockNotFoundError,
    ConfigError,
    DuplicateOrderError,
    InputError,
    RevertError,
    StaleStateError,
)
from onchain_exec.execution import Purpose

ONE = 10**18


@pytest.fixture
def trading(fork: Sandbox, tmp_path: Path):
    """A desk on the test's own fork."""
    signer = LocalSigner(fork.trader.key, chain_id=fork.chain.chain_id)
    with Desk.connect(
        fork.url, signer=signer, journal=tmp_path / "journal.sqlite", profile=fork.profile
    ) as desk:
        yield desk


def test_sell_when_nobody_trades_in_between_fills_exactly_as_quoted(trading: Desk, fork: Sandbox) -> None:
    weth, usdc, trader = fork.profile.tokens["WETH"], fork.profile.tokens["USDC"], fork.trader.address
    had = balance_of(fork, weth, trader), balance_of(fork, usdc, trader)
    quote = trading.quote(sell="WETH", amount="25", buy="USDC")
    order = trading.sell("WETH", "25", buy="USDC", max_slippage_bps=30)
    assert order.state is OrderState.FILLED
    assert order.fill is not None
    assert order.fill.amount_out == quote.amount_out
    assert order.fill.slippage_bps == 0
    got = balance_of(fork, weth, trader), balance_of(fork, usdc, trader)
    assert (had[0] - got[0], got[1] - had[1]) == (25 * ONE, quote.amount_out)
    assert trading.reconcile().breaks == ()


def test_sell_larger_than_one_pool_likes_is_split_and_beats_the_best_single_pool(trading: Desk) -> None:
    quote = trading.quote(sell="WETH", amount="300", buy="USDC")
    assert len(quote.route.legs) > 1
    assert quote.route.best_single_amount is not None
    assert quote.amount_out > quote.route.best_single_amount
    order = trading.execute(quote)
    assert order.fill is not None
    assert order.fill.amount_out == quote.amount_out


def test_buy_of_an_exact_amount_takes_exactly_the_quoted_input(trading: Desk, fork: Sandbox) -> None:
    usdc, trader = fork.profile.tokens["USDC"], fork.trader.address
    had = balance_of(fork, usdc, trader)
    quote = trading.quote(sell="WETH", buy="USDC", amount="30000", exact=Exact.OUT)
    order = trading.buy("USDC", "30000", sell="WETH", max_slippage_bps=30)
    assert order.fill is not None
    assert (order.fill.amount_in, order.fill.amount_out) == (quote.amount_in, 30_000 * 10**6)
    assert balance_of(fork, usdc, trader) - had == 30_000 * 10**6


@pytest.mark.parametrize(("sell", "buy", "amount"), [("WBTC", "DAI", "0.5"), ("DAI", "WBTC", Decimal(9000))])
def test_sell_across_decimals_fills_as_quoted(
    sell: str, buy: str, amount: str | Decimal, trading: Desk
) -> None:
    quote = trading.quote(sell=sell, amount=amount, buy=buy)
    order = trading.sell(sell, amount, buy=buy)
    assert order.fill is not None
    assert order.fill.amount_out == quote.amount_out


def test_sell_leaves_no_allowance_behind(trading: Desk, fork: Sandbox) -> None:
    trading.sell("DAI", "1000", buy="USDC")
    dai, router = fork.profile.tokens["DAI"], fork.profile.get_contract("uniswap_v3", "swap_router")
    assert router is not None
    data = "0xdd62ed3e" + fork.trader.address[2:].rjust(64, "0") + router[2:].rjust(64, "0")
    assert int(fork.chain.request("eth_call", {"to": dai.address, "data": data}, "latest"), 16) == 0


def test_sell_with_the_same_client_order_id_reports_the_same_order(trading: Desk, fork: Sandbox) -> None:
    first = trading.sell("WETH", "1", buy="USDC", client_order_id="a")
    sent = nonce_of(fork, fork.trader.address)
    again = trading.sell("WETH", "1", buy="USDC", client_order_id="a")
    assert again.tx_hash == first.tx_hash
    assert nonce_of(fork, fork.trader.address) == sent
    with pytest.raises(DuplicateOrderError):
        trading.sell("WETH", "2", buy="USDC", client_order_id="a")
    assert nonce_of(fork, fork.trader.address) == sent


def test_sell_of_two_desks_with_one_client_order_id_at_once_executes_once(
    fork: Sandbox, tmp_path: Path
) -> None:
    weth, trader = fork.profile.tokens["WETH"], fork.trader
    before = balance_of(fork, weth, trader.address)
    signer = LocalSigner(trader.key, chain_id=fork.chain.chain_id)

    def sell(_: int) -> str:
        with Desk.connect(
            fork.url, signer=signer, journal=tmp_path / "journal.sqlite", profile=fork.profile
        ) as desk:
            return desk.sell("WETH", "1", buy="USDC", client_order_id="same").order_id

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(sell, range(4)))) == 1
    assert before - balance_of(fork, weth, trader.address) == ONE


def test_execute_of_a_stale_quote_is_refused_and_nothing_is_sent(trading: Desk, fork: Sandbox) -> None:
    sent = nonce_of(fork, fork.trader.address)
    fork.chain.mine(2)
    quote = trading.quote(sell="WETH", amount="1", buy="USDC")
    with pytest.raises(StaleStateError, match="old"):
        trading.execute(dataclasses.replace(quote, made_at=quote.made_at - 3600))
    fork.chain.request("anvil_reorg", 1, [])
    with pytest.raises(BlockNotFoundError):
        trading.execute(quote)
    assert nonce_of(fork, fork.trader.address) == sent


def test_execute_when_the_price_has_moved_beyond_the_bound_sends_nothing(
    trading: Desk, fork: Sandbox, tmp_path: Path
) -> None:
    sent = nonce_of(fork, fork.trader.address)
    quote = trading.quote(sell="WETH", amount="10", buy="USDC", max_slippage_bps=0)
    _trade_in_between(fork, tmp_path)
    with pytest.raises(RevertError, match=r"AmountOutTooLow|Insufficient token|Too little"):
        trading.execute(quote)
    assert [order.state for order in trading.orders()] == [OrderState.REJECTED]
    assert nonce_of(fork, fork.trader.address) == sent


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (Limits(max_slippage_bps=10), "SLIPPAGE_EXCEEDS_MAXIMUM"),
        (Limits(max_impact_bps=0), "PRICE_IMPACT_EXCEEDS_MAXIMUM"),
        (Limits(allowed_tokens=frozenset()), "TOKEN_NOT_ALLOWED"),
        (Limits(may_approve=False), "ALLOWANCE_FORBIDDEN"),
    ],
)
def test_sell_beyond_a_limit_is_denied_with_its_numbers(
    limits: Limits, code: str, fork: Sandbox, tmp_path: Path
) -> None:
    signer = LocalSigner(fork.trader.key, chain_id=fork.chain.chain_id)
    with Desk.connect(
        fork.url,
        signer=signer,
        journal=tmp_path / "journal.sqlite",
        profile=fork.profile,
        policy=Policy(limits=limits),
    ) as desk:
        order = desk.sell("WETH", "5", buy="USDC", max_slippage_bps=50)
        assert order.state is OrderState.DENIED
        assert order.failure is not None
        assert order.failure.code == code
        assert order.failure.found
        assert order.failure.todo
        assert len(desk.orders()) == 1
    assert nonce_of(fork, fork.trader.address) == 0


def test_sell_of_more_than_the_balance_is_denied(fork: Sandbox, tmp_path: Path) -> None:
    poor = fork.chain.accounts[7]
    fork.fund(poor.address, fork.profile.tokens["WETH"], ONE)
    signer = LocalSigner(poor.key, chain_id=fork.chain.chain_id)
    with Desk.connect(
        fork.url, signer=signer, journal=tmp_path / "journal.sqlite", profile=fork.profile
    ) as desk:
        order = desk.sell("WETH", "2", buy="USDC")
    assert order.state is OrderState.DENIED
    assert order.failure is not None
    assert (order.failure.code, order.failure.found) == ("BALANCE_BELOW_AMOUNT", "1 WETH")
    assert nonce_of(fork, poor.address) == 0


@pytest.mark.parametrize("amount", [25, 2.5])
def test_sell_of_a_number_that_is_not_text_is_refused(amount: object, trading: Desk) -> None:
    with pytest.raises(AmountError, match="text"):
        trading.sell("WETH", amount, buy="USDC")  # type: ignore[arg-type]


def test_sell_without_a_signer_says_how_to_get_one(fork: Sandbox, tmp_path: Path) -> None:
    with Desk.connect(fork.url, journal=tmp_path / "j.sqlite", profile=fork.profile) as desk:
        assert desk.quote(sell="WETH", amount="1", buy="USDC").amount_out
        with pytest.raises(ConfigError, match="KEYSTORE"):
            desk.sell("WETH", "1", buy="USDC")


def _trade_in_between(fork: Sandbox, folder: Path) -> None:
    """Somebody else sells WETH for USDC and moves the price."""
    other = fork.chain.accounts[5]
    fork.fund(other.address, fork.profile.tokens["WETH"], 500 * ONE)
    signer = LocalSigner(other.key, chain_id=fork.chain.chain_id)
    with Desk.connect(fork.url, signer=signer, journal=folder / "other.sqlite", profile=fork.profile) as desk:
        desk.sell("WETH", "400", buy="USDC", max_slippage_bps=100)


@pytest.mark.parametrize("name", ["", "two\nlines", "nul\x00", "x" * 129, 5])
def test_sell_under_an_id_that_can_name_no_order_is_refused(
    name: object, trading: Desk, fork: Sandbox
) -> None:
    """An empty id taken for none would make each call another order."""
    with pytest.raises(InputError, match="client order id"):
        trading.sell("WETH", "1", buy="USDC", client_order_id=name)  # type: ignore[typeddict-item]
    pair = Request("WETH", "USDC", "1"), Request("WBTC", "USDC", "0.1")
    with pytest.raises(InputError, match="client order id"):
        trading.submit_all(*pair, client_order_id=name)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="client order id"):
        trading.perform("aave_v3", "any", client_order_id=name)  # type: ignore[typeddict-item]
    assert nonce_of(fork, fork.trader.address) == 0


@pytest.mark.parametrize("given", [{"exact": "in"}, {"exact": None}, {"conditions": ["balance >= 1"]}])
def test_submit_of_a_request_with_a_value_of_another_type_is_refused(
    given: dict[str, Any], trading: Desk, fork: Sandbox
) -> None:
    """The text "in" taken for what is not Exact.IN would buy the amount that was to be sold."""
    with pytest.raises(InputError, match=r"exact is|another type"):
        trading.submit(Request("WETH", "USDC", "1", **given))
    assert nonce_of(fork, fork.trader.address) == 0


@pytest.mark.parametrize("faster", ["cancel", "order"])
def test_cancel_of_an_order_that_waits_ends_as_whichever_is_mined(
    faster: str, fork: Sandbox, tmp_path: Path
) -> None:
    signed: list[Purpose] = []

    def see(step: Step, made: Any) -> None:
        if step is Step.JOURNALLED:
            signed.append(made.purpose)
        if step is Step.JOURNALLED and made.purpose is Purpose.SWAP:
            fork.chain.request("evm_setAutomine", False)
        swap_waited = step is Step.RECORDED and signed[-1] is Purpose.SWAP
        cancel_sent = step is Step.SENT and signed[-1] is Purpose.CANCEL
        if swap_waited if faster == "order" else cancel_sent:
            fork.chain.mine()

    signer = LocalSigner(fork.trader.key, chain_id=fork.chain.chain_id)
    opening: dict[str, Any] = {"signer": signer, "journal": tmp_path / "journal.sqlite"}
    policy = Policy(confirm_timeout_s=1)
    with Desk.connect(fork.url, **opening, profile=fork.profile, policy=policy, observe=see) as desk:
        working = desk.sell("WETH", "1", buy="USDC", max_slippage_bps=50, client_order_id="slow")
        assert working.state is OrderState.WORKING
        ended = desk.cancel("slow")
        assert ended.state is (OrderState.CANCELLED if faster == "cancel" else OrderState.FILLED)
        assert desk.cancel("slow").state is ended.state


def test_desk_has_the_methods_of_the_async_desk() -> None:
    steps = {"continue_earlier", "ask", "prepare"}
    asynchronous, synchronous = (
        {
            name: list(inspect.signature(found).parameters)
            for name, found in inspect.getmembers(kind, inspect.isroutine)
            if not name.startswith("_")
        }
        for kind in (AsyncDesk, Desk)
    )
    asynchronous = {name: found for name, found in asynchronous.items() if name not in steps}
    asynchronous["from_env"] = synchronous["from_env"]  # hands on whatever it is given
    assert synchronous == asynchronous
