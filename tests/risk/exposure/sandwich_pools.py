"""Routes over exact pools, for laws of the exposure that need no chain."""

from __future__ import annotations

from fractions import Fraction
from math import isqrt

from hypothesis import strategies as st

from onchain_exec.core import BlockRef, Exact, Token, to_address
from onchain_exec.risk.exposure import Attacker
from onchain_exec.risk.exposure.sandwich import Sandwiches
from onchain_exec.risk.exposure.trials import ExactTrials
from onchain_exec.risk.exposure.victim import Victim
from onchain_exec.routing import Network, Options, Route, Shape, Swap, find_route
from onchain_exec.venues import Pool, PoolSet
from onchain_exec.venues.concentrated import Curve, Ticks
from onchain_exec.venues.concentrated.tick_math import get_sqrt_price_at_tick
from onchain_exec.venues.uniswap_v2 import UniswapV2Pool
from onchain_exec.venues.uniswap_v3 import UniswapV3Pool

BLOCK = BlockRef(1, 100, "0x" + "ab" * 32, 1_700_000_000, 10**9, 30_000_000)
A, B, C = (Token(1, to_address(number.to_bytes(20, "big")), f"T{number}", 18) for number in range(1, 4))
E18 = 10**18
FREE = Attacker()


def make_pair(
    number: int, tokens: tuple[Token, Token], reserves: tuple[int, int], fee: int = 3_000
) -> UniswapV2Pool:
    return UniswapV2Pool(to_address((number + 2**80).to_bytes(20, "big")), *tokens, *reserves, fee)


def make_curve(number: int, tokens: tuple[Token, Token], liquidity: int, fee: int = 500) -> UniswapV3Pool:
    """A pool whose liquidity falls in steps to a fifth on both sides of its price."""
    indexes = (-60_000, -1_200, -120, 60, 180, 60_000)
    net = (liquidity, liquidity, 3 * liquidity, -liquidity, -3 * liquidity, -liquidity)
    curve = Curve(get_sqrt_price_at_tick(7) + 12_345, 7, 5 * liquidity, fee, Ticks(60, indexes, net))
    return UniswapV3Pool(to_address((number + 2**80).to_bytes(20, "big")), *tokens, curve)


def route(pools: tuple[Pool, ...], amount: int, exact: Exact = Exact.IN) -> Route:
    return find_route(
        Swap(A, B, amount, exact), Network.build(PoolSet(BLOCK, pools)), options=Options(shape=Shape.PATHS)
    )


def make_sandwiches(found: Route, attacker: Attacker = FREE) -> Sandwiches:
    return Sandwiches(Victim(found), attacker)


def get_gross(found: Route, amounts: tuple[int, ...], slack: int) -> Fraction | None:
    """Return what front-runs gain by the pools' exact swaps; None where the bound stops the victim."""
    victim = Victim(found)
    played = ExactTrials(victim).play(amounts)
    if played is None or played.loss > slack:
        return None
    return sum(
        (run.gain * victim.targets[number].value for number, run in played.front_runs.items()),
        start=Fraction(0),
    )


def get_front_run_in_closed_form(pair: UniswapV2Pool, amount: int, amount_out_min: int) -> float:
    """Return the largest front-run that leaves a seller of token 0 its minimum, on reals: the positive root
    of g x**2 + (R + g R + g**2 v) x + R (R + g v) - g v R S / m = 0, with g what the fee leaves, R and S
    the reserves, v the amount, m the minimum."""
    keep = 1_000_000 - pair.swap_fee_pips
    whole, reserve0, reserve1 = 1_000_000, pair.reserve0, pair.reserve1
    a = keep * whole * amount_out_min
    b = (reserve0 * whole * whole + keep * reserve0 * whole + keep * keep * amount) * amount_out_min
    c = reserve0 * whole * ((reserve0 * whole + keep * amount) * amount_out_min - keep * amount * reserve1)
    return (isqrt(b * b - 4 * a * c) - b) / (2 * a)


@st.composite
def routes(draw: st.DrawFn) -> Route:
    """One pool, two side by side, or two in a row; pairs and curves."""
    number = iter(range(10))

    def pool(tokens: tuple[Token, Token]) -> Pool:
        if draw(st.booleans()):
            reserves = draw(st.integers(10**22, 10**24)), draw(st.integers(10**22, 10**24))
            return make_pair(next(number), tokens, reserves, draw(st.sampled_from((100, 500, 3_000))))
        return make_curve(
            next(number), tokens, draw(st.integers(10**22, 10**25)), draw(st.sampled_from((100, 500)))
        )

    pools = draw(st.sampled_from([[(A, B)], [(A, B), (A, B)], [(A, C), (B, C)]]))
    return route(tuple(pool(tokens) for tokens in pools), draw(st.integers(10**20, 10**22)))
