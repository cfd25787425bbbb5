"""What must hold for every pool, on random pools without a chain."""

from __future__ import annotations

from fractions import Fraction
from itertools import accumulate

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from onchain_exec.core import ZERO_ADDRESS, BlockRef, Exact, Token, to_address
from onchain_exec.errors import InputError, PartialFillError, PoolRevertError
from onchain_exec.venues import Pool
from onchain_exec.venues.concentrated import ConcentratedPool, Curve, Ticks
from onchain_exec.venues.concentrated.ladder import get_end_price, get_target_price
from onchain_exec.venues.concentrated.swap_math import compute_swap_step
from onchain_exec.venues.concentrated.tick_math import (
    MAX_SQRT_PRICE_X96,
    MAX_TICK,
    MIN_SQRT_PRICE_X96,
    MIN_TICK,
    get_sqrt_price_at_tick,
    get_tick_at_sqrt_price,
)
from onchain_exec.venues.concentrated.ticks import add_liquidity
from onchain_exec.venues.pool_file import pool_from_json
from onchain_exec.venues.uniswap_v2 import UniswapV2Pool
from onchain_exec.venues.uniswap_v3 import PancakeV3Pool, SlipstreamPool, UniswapV3Pool
from onchain_exec.venues.uniswap_v4 import PoolKey, UniswapV4Pool

TOKEN0 = Token(1, to_address("0x" + "0" * 39 + "1"), "T0", 18)
TOKEN1 = Token(1, to_address("0x" + "0" * 39 + "2"), "T1", 6)
OTHER = Token(1, to_address("0x" + "0" * 39 + "3"), "T2", 6)
BLOCK = BlockRef(1, 2, "0x" + "ab" * 32, 3, 4, 5)

sides = st.sampled_from(Exact)
pairs = st.sampled_from([(TOKEN0, TOKEN1), (TOKEN1, TOKEN0)])
amounts = st.integers(0, 130).flatmap(lambda bits: st.integers(1, 2**bits))


@st.composite
def curves(draw: st.DrawFn) -> Curve:
    """Curves of overlapping positions, with gaps; the price anywhere."""
    spacing = draw(st.sampled_from((1, 10, 60, 200, 16_383)))
    low, high = -(-MIN_TICK // spacing), MAX_TICK // spacing
    middle = draw(st.integers(low, high))
    ticks = Ticks(spacing, (), (), ())
    for _ in range(draw(st.integers(0, 8))):
        reach = draw(st.sampled_from((2, 40, 3_000)))
        near = st.integers(max(low, middle - reach), min(high, middle + reach))
        lower, upper = sorted((draw(near), draw(near)))
        if lower < upper:
            liquidity = draw(st.integers(1, 2 ** draw(st.integers(1, 100))))
            ticks = ticks.with_liquidity(lower * spacing, upper * spacing, liquidity)
    tick = max(min(middle * spacing + draw(st.integers(-spacing, spacing)), MAX_TICK - 1), MIN_TICK)
    bottom, top = get_sqrt_price_at_tick(tick), get_sqrt_price_at_tick(tick + 1)
    price = draw(st.integers(bottom, top - 1))
    fee_pips = draw(st.sampled_from((0, 1, 100, 500, 3_000, 10_000, 999_999)))
    return Curve(price, tick, ticks.get_liquidity(tick), fee_pips, ticks)


@st.composite
def concentrated_pools(draw: st.DrawFn) -> ConcentratedPool:
    curve = draw(curves())
    kind = draw(st.sampled_from((UniswapV3Pool, PancakeV3Pool, SlipstreamPool, UniswapV4Pool)))
    if kind is not UniswapV4Pool:
        return kind(ZERO_ADDRESS, TOKEN0, TOKEN1, curve)
    key = PoolKey(TOKEN0.address, TOKEN1.address, curve.fee_pips, curve.ticks.spacing, ZERO_ADDRESS)
    protocol_fee = draw(st.integers(0, 1_000)) | draw(st.integers(0, 1_000)) << 12
    return UniswapV4Pool(ZERO_ADDRESS, TOKEN0, TOKEN1, curve.with_fee(curve.fee_pips // 2), key, protocol_fee)


reserves = st.integers(1, 112).flatmap(lambda bits: st.integers(1, 2**bits - 1))
v2_pools = st.builds(
    UniswapV2Pool,
    st.just(ZERO_ADDRESS),
    st.just(TOKEN0),
    st.just(TOKEN1),
    reserves,
    reserves,
    st.sampled_from((0, 2_500, 3_000, 10_000)),
)
pools = concentrated_pools() | v2_pools


def try_quote(pool: Pool, pair: tuple[Token, Token], amount: int, exact: Exact) -> int | None:
    try:
        return pool.quote(*pair, amount, exact)
    except PoolRevertError:
        return None


@given(pools, pairs, amounts, sides)
def test_swap_is_what_quote_says(pool: Pool, pair: tuple[Token, Token], amount: int, exact: Exact) -> None:
    quoted = try_quote(pool, pair, amount, exact)
    if quoted is None:
        with pytest.raises(PoolRevertError):
            pool.swap(*pair, amount, exact)
        return
    result = pool.swap(*pair, amount, exact)
    expected = (amount, quoted) if exact is Exact.IN else (quoted, amount)
    assert (result.amount_in, result.amount_out) == expected
    assert 0 <= result.fee_amount <= result.amount_in


@given(pools, pairs, amounts, amounts, sides)
def test_quote_grows_with_the_amount(
    pool: Pool, pair: tuple[Token, Token], one: int, other: int, exact: Exact
) -> None:
    small, large = sorted((one, other))
    quotes = [try_quote(pool, pair, amount, exact) for amount in (small, large)]
    assume(None not in quotes)
    assert quotes[0] <= quotes[1]  # type: ignore[operator]


@given(pools, pairs, amounts)
def test_round_trip_never_pays_the_trader(pool: Pool, pair: tuple[Token, Token], amount: int) -> None:
    amount_out = try_quote(pool, pair, amount, Exact.IN)
    assume(amount_out)
    result = pool.swap(*pair, amount, Exact.IN)
    back = try_quote(result.pool_after, pair[::-1], result.amount_out, Exact.IN)
    assert back is None or back <= amount


@given(pools, pairs, amounts)
def test_what_an_exact_output_costs_buys_at_least_that_output(
    pool: Pool, pair: tuple[Token, Token], amount: int
) -> None:
    amount_in = try_quote(pool, pair, amount, Exact.OUT)
    assume(amount_in)
    assert pool.quote(*pair, amount_in or 0, Exact.IN) >= amount


@given(pools, pairs, amounts)
def test_price_moves_against_the_trader(pool: Pool, pair: tuple[Token, Token], amount: int) -> None:
    assume(try_quote(pool, pair, amount, Exact.IN))
    after = pool.swap(*pair, amount, Exact.IN).pool_after
    assert after.spot_price(*pair) <= pool.spot_price(*pair)
    assert pool.spot_price(*pair) * pool.spot_price(*pair[::-1]) == 1


@given(pools, pairs, st.integers(0, 9_999))
def test_depth_is_the_largest_amount_within_the_impact(
    pool: Pool, pair: tuple[Token, Token], impact_bps: int
) -> None:
    floor = pool.spot_price(*pair) * Fraction(10_000 - impact_bps, 10_000)
    depth = pool.depth(*pair, impact_bps)

    def within(amount: int) -> bool:
        try:
            return pool.swap(*pair, amount, Exact.IN).pool_after.spot_price(*pair) >= floor
        except PoolRevertError:
            return False

    assert depth == 0 or within(depth)
    assert not within(depth + 1)


@given(concentrated_pools(), pairs, amounts, sides)
def test_swap_equals_the_contracts_loop(
    pool: ConcentratedPool, pair: tuple[Token, Token], amount: int, exact: Exact
) -> None:
    down = pair == (TOKEN0, TOKEN1)
    curve = pool.curve_for(down)
    assume(curve.sqrt_price_x96 != get_end_price(down))
    looped = loop(curve, down, amount, exact)
    move = curve.swap(down, amount, exact, get_end_price(down))
    after = move.curve
    assert (move.amount_in, move.amount_out, after.sqrt_price_x96, after.tick, after.liquidity) == looped


def loop(curve: Curve, down: bool, amount: int, exact: Exact) -> tuple[int, int, int, int, int]:
    """The loop of ``UniswapV3Pool.swap``, step by step."""
    price, tick, liquidity, remaining = curve.sqrt_price_x96, curve.tick, curve.liquidity, amount
    amount_in = amount_out = 0
    while remaining and price != get_end_price(down):
        boundary, net = curve.ticks.find_boundary(tick, down)
        target = get_target_price(boundary, down)
        step = compute_swap_step(price, target, liquidity, remaining, curve.fee_pips, exact)
        amount_in += step.amount_in + step.fee_amount
        amount_out += step.amount_out
        remaining = amount - (amount_in if exact is Exact.IN else amount_out)
        if step.sqrt_price_x96 == get_sqrt_price_at_tick(boundary):
            liquidity = add_liquidity(liquidity, -net if down else net)
            tick = boundary - down
        elif step.sqrt_price_x96 != price:
            tick = get_tick_at_sqrt_price(step.sqrt_price_x96)
        price = step.sqrt_price_x96
    return amount_in, amount_out, price, tick, liquidity


@given(concentrated_pools(), st.lists(st.tuples(pairs, amounts, sides), max_size=8))
def test_quote_after_swaps_equals_quote_of_a_pool_made_anew(
    pool: ConcentratedPool, swaps: list[tuple[tuple[Token, Token], int, Exact]]
) -> None:
    for pair, amount, exact in swaps:
        anew = pool_from_json(pool.to_json(), (TOKEN0, TOKEN1))
        quoted = try_quote(pool, pair, amount, exact)
        assert quoted == try_quote(anew, pair, amount, exact)
        if quoted is not None:
            after = pool.swap(*pair, amount, exact).pool_after
            assert isinstance(after, ConcentratedPool)
            pool = after


@given(concentrated_pools(), pairs, sides)
def test_quote_beyond_the_liquidity_tells_the_most_it_can_trade(
    pool: ConcentratedPool, pair: tuple[Token, Token], exact: Exact
) -> None:
    assume(pool.curve.sqrt_price_x96 != get_end_price(pair == (TOKEN0, TOKEN1)))
    most = pool.curve_for(pair == (TOKEN0, TOKEN1)).swap(
        pair == (TOKEN0, TOKEN1), 2**255 - 1, exact, get_end_price(pair == (TOKEN0, TOKEN1))
    )
    assume(max(most.amount_in, most.amount_out) < 2**127)  # beyond, v4 overflows
    with pytest.raises(PartialFillError) as caught:
        pool.quote(*pair, 2**127, exact)
    assert (caught.value.amount_in, caught.value.amount_out) == (most.amount_in, most.amount_out)
    fixed = most.amount_in if exact is Exact.IN else most.amount_out
    assert not fixed or try_quote(pool, pair, fixed, exact) is not None
    with pytest.raises(PartialFillError):
        pool.quote(*pair, fixed + 1, exact)


@given(pools, pairs, sides, st.sampled_from([0, -1, -(2**255), 2**255, 2**256]))
def test_quote_of_no_amount_raises(pool: Pool, pair: tuple[Token, Token], exact: Exact, amount: int) -> None:
    with pytest.raises(PoolRevertError):
        pool.quote(*pair, amount, exact)


@given(pools, sides)
def test_quote_of_other_tokens_raises_input_error(pool: Pool, exact: Exact) -> None:
    for pair in ((TOKEN0, OTHER), (OTHER, TOKEN1), (TOKEN0, TOKEN0)):
        with pytest.raises(InputError):
            pool.quote(*pair, 1, exact)


@given(st.integers(MIN_SQRT_PRICE_X96, MAX_SQRT_PRICE_X96 - 1))
def test_get_tick_at_sqrt_price_is_the_greatest_tick_not_above(price: int) -> None:
    tick = get_tick_at_sqrt_price(price)
    assert get_sqrt_price_at_tick(tick) <= price < get_sqrt_price_at_tick(tick + 1)


@given(st.integers(MIN_TICK, MAX_TICK - 1))
def test_get_tick_at_sqrt_price_of_a_ticks_price_is_that_tick(tick: int) -> None:
    price = get_sqrt_price_at_tick(tick)
    assert get_tick_at_sqrt_price(price) == tick
    if tick > MIN_TICK:
        assert get_tick_at_sqrt_price(price - 1) == tick - 1


@given(curves())
def test_get_liquidity_is_the_running_sum_of_the_nets(curve: Curve) -> None:
    ticks = curve.ticks
    sums = list(accumulate(ticks.liquidity_net))
    assert [ticks.get_liquidity(tick) for tick in ticks.indexes] == sums
    assert not sums or sums[-1] == 0


def test_ticks_out_of_order_or_off_the_spacing_raise_input_error() -> None:
    for spacing, indexes, net in ((10, (10, 0), (1, -1)), (10, (0, 5), (1, -1)), (0, (), ()), (1, (1,), ())):
        with pytest.raises(InputError):
            Ticks(spacing, indexes, net)
