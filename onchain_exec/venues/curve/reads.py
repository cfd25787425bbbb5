"""Reads of Curve pools by address: by whose arithmetic they swap.

Curve's pools are many contracts. A pool is one of ours only if a model of it answers what the pool's
own ``get_dy`` answers, on amounts of several scales both ways.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from onchain_exec.core import Address, Call, Exact, Reading, Token
from onchain_exec.core.abi import Function
from onchain_exec.errors import NoPoolError, PoolRevertError
from onchain_exec.venues.curve.crypto.arithmetic import A_MULTIPLIER, CryptoFlavour
from onchain_exec.venues.curve.crypto.first_peg_reads import read_first_peg
from onchain_exec.venues.curve.crypto.peg_reads import find_peg
from onchain_exec.venues.curve.crypto.pool import CurveCryptoPool
from onchain_exec.venues.curve.exchange import Receiver
from onchain_exec.venues.curve.ramp import Ramp
from onchain_exec.venues.curve.stable_math import StableFlavour
from onchain_exec.venues.curve.stable_pool import CurveStablePool
from onchain_exec.venues.curve.told import Told, read_told

_STABLE_GET_DY: Final = Function("get_dy(int128,int128,uint256)", "(uint256)")
_CRYPTO_GET_DY: Final = Function("get_dy(uint256,uint256,uint256)", "(uint256)")
_PROBE_SHARES: Final = (10**6, 10**3, 10)  # of a balance, as divisors

AnyCurvePool = CurveStablePool | CurveCryptoPool


def read_curve_pool(address: Address, known: Mapping[Address, Token] | None = None) -> Reading[AnyCurvePool]:
    """Read a StableSwap (plain, meta, NG) or CryptoSwap (tricrypto, -ng, twocrypto-ng) pool.

    ``known`` tokens are taken as they are.

    Raises:
        InputError: no Curve pool stands at the address. Of its tokens, see `erc20.read_token`.
        NoPoolError: it swaps by an arithmetic that is not modelled, or its owner has killed it.
    """
    told = yield from read_told(address, known)
    if told.numbers.get("is_killed"):
        raise NoPoolError(
            f"the Curve pool at {address} is killed: it quotes, but exchanges nothing",
            todo="Leave it out of the market",
        )
    crypto = "gamma" in told.numbers
    function = _CRYPTO_GET_DY if crypto else _STABLE_GET_DY
    probes = [
        (*sides, max(told.balances[sides[0]] // share, 1))
        for sides in ((0, 1), (1, 0))
        for share in _PROBE_SHARES
    ]
    snapshot = yield tuple(Call(address, function.encode(*probe)) for probe in probes)
    answers = [function.decode(answer.data)[0] if answer.success else None for answer in snapshot.answers]
    for pool in _crypto_pools(told) if crypto else _stable_pools(told):
        asked = _as_quoted(pool, told)
        if any(answers) and answers == [_quote(asked, probe) for probe in probes]:
            return (yield from _complete(pool, told))
    raise NoPoolError(
        f"the Curve pool at {address} answers get_dy otherwise than every model of it",
        needed="a pool of 3pool's kind, of the 2021 templates, stableswap-ng, tricrypto or twocrypto-ng",
        todo="Leave it out of the market: its quotes would be wrong",
    )


def _complete(pool: AnyCurvePool, told: Told) -> Reading[AnyCurvePool]:
    """Read what only one kind of pool has."""
    if not isinstance(pool, CurveCryptoPool) or pool.flavour is not CryptoFlavour.TRICRYPTO:
        return pool
    peg = yield from read_first_peg(told, pool.ann)
    return replace(pool, peg=peg)


def _stable_pools(told: Told) -> Iterator[CurveStablePool]:
    """Yield the pool by each arithmetic that its functions allow."""
    numbers = told.numbers
    plain = tuple(10 ** (36 - token.decimals) for token in told.tokens)
    rates = told.stored_rates or (
        plain if told.base_price_wad is None else (*plain[:-1], told.base_price_wad)
    )
    amp = numbers.get("A_precise", 100 * numbers["A"])
    fees = numbers.get("fee", 0), numbers.get("admin_fee", 0), numbers.get("offpeg_fee_multiplier", 0)
    common, ramp = (told.address, told.tokens, told.balances, rates), _find_amp_ramp(told)
    if fees[2] or told.stored_rates:
        yield CurveStablePool(*common, amp, *fees, StableFlavour.NG, ramp, receiver=Receiver.LAST)
        return
    if "A_precise" not in numbers:
        yield CurveStablePool(*common, numbers["A"], *fees, StableFlavour.THREEPOOL, ramp)
    yield CurveStablePool(*common, amp, *fees, StableFlavour.TEMPLATE, ramp)
    yield CurveStablePool(*common, amp, *fees, StableFlavour.NG, ramp)  # factory pools divide as NG does


def _find_amp_ramp(told: Told) -> Ramp | None:
    """Return how A moves, if it does."""
    names = ("initial_A", "future_A", "initial_A_time", "future_A_time")
    if any(name not in told.numbers for name in names):
        return None
    start, end, *times = (told.numbers[name] for name in names)
    ramp = Ramp((start,), (end,), *times)
    return ramp if ramp.is_moving(told.block.timestamp) else None


def _crypto_pools(told: Told) -> Iterator[CurveCryptoPool]:
    """Yield the pool by each arithmetic for its number of tokens."""
    numbers, scale = told.numbers, told.prices["price_scale"]
    if len(scale) != len(told.tokens) - 1:
        return
    fees = numbers.get("mid_fee", 0), numbers.get("out_fee", 0), numbers.get("fee_gamma", 0)
    common = told.address, told.tokens, told.balances, scale, numbers.get("D", 0)
    a, gamma, peg = numbers["A"], numbers["gamma"], find_peg(told)
    if len(told.tokens) == 2:
        first = told.version == "v2.0.0"
        flavour = CryptoFlavour.TWOCRYPTO_NG_2_0 if first else CryptoFlavour.TWOCRYPTO_NG
        if "donation_shares" in numbers:
            flavour = CryptoFlavour.TWOCRYPTO_REFUELLED
        yield CurveCryptoPool(*common, a, gamma, *fees, flavour, peg, receiver=Receiver.LAST)
    else:
        receiver = Receiver.AFTER_USE_ETH if told.wraps_native else Receiver.LAST
        ng = CryptoFlavour.TRICRYPTO_NG
        if "ma_half_time" not in numbers:  # those of 2021 do, and often answer the same
            yield CurveCryptoPool(*common, a, gamma, *fees, ng, peg, receiver=receiver)
        yield CurveCryptoPool(*common, a, gamma, *fees, CryptoFlavour.TRICRYPTO)
        # the first tricrypto tells A without its multiplier
        yield CurveCryptoPool(*common, a * A_MULTIPLIER, gamma, *fees, CryptoFlavour.TRICRYPTO)


def _as_quoted(pool: AnyCurvePool, told: Told) -> AnyCurvePool:
    """Return the pool as its ``get_dy`` sees it: that of stableswap-ng takes A without its hundredths,
    which ``exchange`` counts while A moves."""
    if told.stored_rates and isinstance(pool, CurveStablePool):
        return replace(pool, amp=told.numbers["A"] * pool.flavour.amp_precision)
    return pool


def _quote(pool: AnyCurvePool, probe: tuple[int, int, int]) -> int | None:
    side_in, side_out, amount = probe
    try:
        return pool.quote(pool.tokens[side_in], pool.tokens[side_out], amount, Exact.IN)
    except PoolRevertError:
        return None
