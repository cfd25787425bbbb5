"""A pool of every kind that has an oracle, over the tokens A, B, C and USDC."""

from __future__ import annotations

from dataclasses import replace

from markets import A, B, C, make_pool

from onchain_exec.core import ZERO_ADDRESS, Exact, Token, to_address
from onchain_exec.venues.balancer import BalancerStablePool, BalancerWeightedPool
from onchain_exec.venues.concentrated import Curve, Ticks
from onchain_exec.venues.concentrated.tick_math import get_sqrt_price_at_tick
from onchain_exec.venues.curve import CryptoFlavour, CurveCryptoPool, CurveStablePool, StableFlavour
from onchain_exec.venues.solidly import SolidlyPool
from onchain_exec.venues.uniswap_v3 import UniswapV3Pool
from onchain_exec.venues.vaults import Erc4626Pool, WrappedNativePool

ADDRESS = to_address("0x" + "99" * 20)
USDC = Token(1, to_address("0x" + "06" * 20), "USDC", 6)
E18 = 10**18


def concentrated(tick: int) -> UniswapV3Pool:
    ticks = Ticks(
        60,
        (-6000, -1200, -60, 60, 1800, 6000),
        (10**21, 10**22, 5 * 10**22, -5 * 10**22, -(10**22), -(10**21)),
    )
    return UniswapV3Pool(
        ADDRESS,
        A,
        B,
        Curve(get_sqrt_price_at_tick(tick) + 12345, tick, ticks.get_liquidity(tick), 3_000, ticks),
    )


def weighted() -> BalancerWeightedPool:
    weights = (E18 // 2, E18 * 3 // 10, E18 // 5)
    balances = (4_000 * E18, 900 * E18, 7_000 * E18)
    return BalancerWeightedPool(
        ADDRESS, "0x" + "11" * 32, ADDRESS, (A, B, C), balances, E18 // 400, weights, 2
    )


def balancer_stable() -> BalancerStablePool:
    return BalancerStablePool(
        ADDRESS, "0x" + "11" * 32, ADDRESS, (A, USDC, C), (10**24, 2 * 10**12, 5 * 10**23), E18 // 2500,
        (E18, 10**30, 11 * 10**17), 200_000,
    )  # fmt: skip


def curve_stable() -> CurveStablePool:
    return CurveStablePool(
        ADDRESS, (A, USDC, C), (10**24, 3 * 10**12, 5 * 10**23), (E18, 10**30, E18),
        2_000, 4_000_000, 5 * 10**9, 0, StableFlavour.THREEPOOL,
    )  # fmt: skip


SHARE = Token(1, to_address("0x" + "07" * 20), "SHARE", 18)
NATIVE = Token(1, ZERO_ADDRESS, "ETH", 18)


def crypto_two(out_fee_e10: int) -> CurveCryptoPool:
    """At its peg: 2 A for a C."""
    return CurveCryptoPool(
        ADDRESS, (A, C), (10**24, 5 * 10**23),
        price_scale_wad=(2 * E18,), d=2 * 10**24, ann=400_000, gamma=145 * 10**12, mid_fee_e10=26 * 10**6,
        out_fee_e10=out_fee_e10, fee_gamma=230 * 10**12, flavour=CryptoFlavour.TWOCRYPTO_NG,
    )  # fmt: skip


def crypto_three(out_fee_e10: int) -> CurveCryptoPool:
    """Off its peg: USDC was sold into it, for no fee, so that it stays on its curve."""
    pool = CurveCryptoPool(
        ADDRESS, (USDC, A, C), (10**12, 10**24, 5 * 10**23),
        price_scale_wad=(E18, 2 * E18), d=3 * 10**24, ann=1_707_629, gamma=118 * 10**11,
        mid_fee_e10=0, out_fee_e10=0, fee_gamma=500 * 10**12, flavour=CryptoFlavour.TRICRYPTO_NG,
    )  # fmt: skip
    after = pool.swap(USDC, A, 10**11, Exact.IN).pool_after
    return replace(after, moved=False, mid_fee_e10=3 * 10**6, out_fee_e10=out_fee_e10)


POOLS = {
    "product": make_pool(1, (A, B), (10**21, 3 * 10**21)),
    "concentrated": concentrated(15),
    "concentrated_below": concentrated(-1300),
    "weighted": weighted(),
    "balancer_stable": balancer_stable(),
    "curve_stable": curve_stable(),
    "crypto_two": crypto_two(26 * 10**6),
    "crypto_three": crypto_three(3 * 10**6),
    "solidly_stable": SolidlyPool(ADDRESS, A, USDC, 10**24, 5 * 10**11, True, 500),
    "solidly_volatile": SolidlyPool(ADDRESS, A, B, 10**24, 5 * 10**23, False, 3_000),
}

CONVERSIONS = {
    "vault": Erc4626Pool(A, SHARE, 11 * 10**23, 10**24),
    "wrapped": WrappedNativePool(NATIVE, A, 10**24),
}

MOVING_FEES = {"crypto_two": crypto_two(45 * 10**6), "crypto_three": crypto_three(30 * 10**6)}
"""Whose fee grows off the peg: what bounds them is the lowest."""
