"""Numbers that others published or a chain answered; their source stands in each file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from onchain_exec.core import ZERO_ADDRESS, Exact, Token, to_address
from onchain_exec.errors import PartialFillError, PoolRevertError
from onchain_exec.venues.concentrated import Curve, Ticks
from onchain_exec.venues.concentrated import sqrt_price_math as price_math
from onchain_exec.venues.concentrated.swap_math import compute_swap_step
from onchain_exec.venues.concentrated.tick_math import get_sqrt_price_at_tick, get_tick_at_sqrt_price
from onchain_exec.venues.uniswap_v3 import SlipstreamPool, UniswapV3Pool

GOLDEN = Path(__file__).parents[2] / "golden"
TOKEN0 = Token(1, to_address("0x" + "0" * 39 + "1"), "T0", 18)
TOKEN1 = Token(1, to_address("0x" + "0" * 39 + "2"), "T1", 18)


def load(name: str) -> Any:
    return json.loads((GOLDEN / f"{name}.json").read_text())


SPECS = load("uniswap_v3_core_math_specs")
CORE_SWAPS = [
    pytest.param(pool, swap, id=f"{pool['description']}: {swap['name']}")
    for pool in load("uniswap_v3_core_pool_swaps")["pools"]
    for swap in pool["swaps"]
]


def make_pool(layout: dict[str, Any]) -> UniswapV3Pool:
    ticks = Ticks(layout["tickSpacing"], (), (), ())
    for position in layout["positions"]:
        ticks = ticks.with_liquidity(position["tickLower"], position["tickUpper"], int(position["liquidity"]))
    price = int(layout["sqrtPriceX96"])
    tick = get_tick_at_sqrt_price(price)
    curve = Curve(price, tick, ticks.get_liquidity(tick), layout["fee"], ticks)
    return UniswapV3Pool(ZERO_ADDRESS, TOKEN0, TOKEN1, curve)


@pytest.mark.parametrize(("layout", "swap"), CORE_SWAPS)
def test_swap_core_snapshots_same_amounts_tick_and_revert(
    layout: dict[str, Any], swap: dict[str, Any]
) -> None:
    pool = make_pool(layout)
    pair = (TOKEN0, TOKEN1) if swap["zeroForOne"] else (TOKEN1, TOKEN0)
    to_price = swap["amountSpecified"] == "toPrice"
    amount = 2**255 - 1 if to_price else int(swap["amountSpecified"])
    exact = Exact.IN if amount > 0 else Exact.OUT
    limit = swap["sqrtPriceLimitX96"]
    expected = swap["expected"]

    def run() -> Any:
        # the snapshots fix what the pool itself does, which may stop short: a limit allows that
        end = (
            get_sqrt_price_at_tick(-887272) + 1 if swap["zeroForOne"] else get_sqrt_price_at_tick(887272) - 1
        )
        return pool.swap_to_price(*pair, abs(amount), exact, end if limit is None else int(limit))

    if "swapError" in expected:
        with pytest.raises(PoolRevertError) as caught:
            run()
        assert expected["swapError"].endswith(f"revert {caught.value.reason}")
        return
    result = run()
    deltas = (result.amount_in, -result.amount_out)
    assert deltas == tuple(
        int(expected[name]) for name in ("amount0Delta", "amount1Delta")[:: 1 if swap["zeroForOne"] else -1]
    )
    assert result.pool_after.curve.tick == expected["tickAfter"]


@pytest.mark.parametrize("case", SPECS["computeSwapStep"], ids=lambda case: case["amount"])
def test_compute_swap_step_published_cases_same_step(case: dict[str, Any]) -> None:
    amount = int(case["amount"])
    exact = Exact.IN if amount >= 0 else Exact.OUT
    step = compute_swap_step(
        int(case["sqrtP"]), int(case["target"]), int(case["L"]), abs(amount), case["fee"], exact
    )
    assert (step.amount_in, step.amount_out, step.fee_amount) == (
        int(case["amountIn"]), int(case["amountOut"]), int(case["feeAmount"])
    )  # fmt: skip
    assert "sqrtQ" not in case or step.sqrt_price_x96 == int(case["sqrtQ"])


def call_price_math(name: str, arguments: list[Any]) -> int:
    first, second, third = (int(argument) for argument in arguments[:3])
    flag = arguments[3]
    if name == "getNextSqrtPriceFromInput":
        return price_math.get_price_after_input(first, second, third, flag)
    if name == "getNextSqrtPriceFromOutput":
        return price_math.get_price_after_output(first, second, third, flag)
    function = getattr(price_math, f"get_amount{name[9]}_{'up' if flag else 'down'}")
    return int(function(first, second, third))


@pytest.mark.parametrize("case", SPECS["sqrtPriceMath"], ids=lambda case: f"{case['fn']}{case['args']}")
def test_sqrt_price_math_published_cases_same_result(case: dict[str, Any]) -> None:
    if case["out"] == "REVERT":
        with pytest.raises(PoolRevertError):
            call_price_math(case["fn"], case["args"])
    else:
        assert call_price_math(case["fn"], case["args"]) == int(case["out"])


@pytest.mark.parametrize("case", SPECS["getSqrtRatioAtTick"], ids=lambda case: str(case["tick"]))
def test_get_sqrt_price_at_tick_published_cases_same_price(case: dict[str, Any]) -> None:
    assert get_sqrt_price_at_tick(case["tick"]) == int(case["sqrtRatioX96"])


@pytest.mark.parametrize("case", SPECS["getTickAtSqrtRatio"], ids=lambda case: case["ratio"])
def test_get_tick_at_sqrt_price_published_cases_same_tick(case: dict[str, Any]) -> None:
    assert get_tick_at_sqrt_price(int(case["ratio"])) == case["tick"]


@pytest.mark.parametrize(
    ("name", "pool_type"),
    [("uniswap_v3_wbtc_weth_answers", UniswapV3Pool), ("slipstream_cbeth_weth_answers", SlipstreamPool)],
)
def test_quote_recorded_chain_answers_same_amounts(name: str, pool_type: type[UniswapV3Pool]) -> None:
    recorded = load(name)
    tokens = tuple(
        Token(int(token["chain_id"]), to_address(token["address"]), token["symbol"], int(token["decimals"]))
        for token in recorded["tokens"]
    )
    pool = pool_type.from_json(recorded["pool"], tokens)
    assert pool.to_json() == recorded["pool"]
    by_symbol = {token.symbol: token for token in tokens}
    for token_in, token_out, side, amount, answer in recorded["answers"]:
        found = quote_or_part(pool, by_symbol[token_in], by_symbol[token_out], int(amount), Exact(side))
        assert found == int(answer)


def quote_or_part(pool: UniswapV3Pool, token_in: Token, token_out: Token, amount: int, exact: Exact) -> int:
    """What the chain's quoter answers when asked with a price limit: the part that fits, unmarked."""
    try:
        return pool.quote(token_in, token_out, amount, exact)
    except PartialFillError as error:
        return error.amount_out if exact is Exact.IN else error.amount_in
