"""Reads of Curve pools by address: what they tell of themselves, and by whose arithmetic they swap.

Curve's pools are many contracts. A pool is one of ours only if a model of it answers what the pool's
own ``get_dy`` answers, on amounts of several scales both ways.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from onchain_exec.core import Address, Answer, Call, Exact, Reading, Token, to_address
from onchain_exec.core.abi import Function
from onchain_exec.errors import InputError, NoPoolError, PoolRevertError
from onchain_exec.venues.answer import decode_answer
from onchain_exec.venues.curve.crypto_math import A_MULTIPLIER, CryptoFlavour
from onchain_exec.venues.curve.crypto_pool import CurveCryptoPool
from onchain_exec.venues.curve.stable_math import StableFlavour
from onchain_exec.venues.curve.stable_pool import CurveStablePool
from onchain_exec.venues.erc20 import read_tokens

_MAX_COINS: Final = 8
_COINS: Final = Function("coins(uint256)", "(address)")
_BALANCES: Final = Function("balances(uint256)", "(uint256)")
_NUMBERS: Final = {
    name: Function(f"{name}()", "(uint256)")
    for name in (
        "A", "A_precise", "fee", "admin_fee", "offpeg_fee_multiplier", "base_virtual_price",
        "base_cache_updated", "gamma", "D", "mid_fee", "out_fee", "fee_gamma", "price_scale",
    )
}  # fmt: skip
_PRICE_SCALE: Final = Function("price_scale(uint256)", "(uint256)")
_STORED_RATES: Final = Function("stored_rates()", "(uint256[])")
_BASE_POOL: Final = Function("base_pool()", "(address)")
_VIRTUAL_PRICE: Final = Function("get_virtual_price()", "(uint256)")
_STABLE_GET_DY: Final = Function("get_dy(int128,int128,uint256)", "(uint256)")
_CRYPTO_GET_DY: Final = Function("get_dy(uint256,uint256,uint256)", "(uint256)")
_BASE_CACHE_S: Final = 600
_PROBE_SHARES: Final = (10**6, 10**3, 10)  # of a balance, as divisors

CurvePool = CurveStablePool | CurveCryptoPool


@dataclass(frozen=True, slots=True)
class _Told:
    """What a pool tells of itself; a number that it does not tell is missing."""

    address: Address
    tokens: tuple[Token, ...]
    balances: tuple[int, ...]
    numbers: Mapping[str, int]
    stored_rates: tuple[int, ...] | None
    price_scale_wad: tuple[int, ...]
    base_price_wad: int | None


def read_curve_pool(address: Address, known: Mapping[Address, Token] | None = None) -> Reading[CurvePool]:
    """Read a StableSwap (plain, meta, NG) or CryptoSwap (tricrypto, -ng, twocrypto-ng) pool.

    ``known`` tokens are taken as they are.

    Raises:
        InputError: no Curve pool stands at the address. Of its tokens, see `erc20.read_token`.
        NoPoolError: it swaps by an arithmetic that is not modelled, or its parameters are moving.
    """
    told = yield from _read_told(address, known)
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
        if any(answers) and answers == [_quote(pool, probe) for probe in probes]:
            return pool
    raise NoPoolError(
        f"the Curve pool at {address} answers get_dy otherwise than every model of it",
        needed="a pool of 3pool's kind, of the 2021 templates, stableswap-ng, tricrypto or twocrypto-ng",
        todo="Leave it out of the market: its quotes would be wrong",
    )


def _read_told(address: Address, known: Mapping[Address, Token] | None) -> Reading[_Told]:
    calls = [Call(address, _COINS.encode(index)) for index in range(_MAX_COINS)]
    calls += [Call(address, _BALANCES.encode(index)) for index in range(_MAX_COINS)]
    calls += [Call(address, _PRICE_SCALE.encode(index)) for index in range(2)]
    calls += [
        Call(address, function.encode()) for function in (_STORED_RATES, _BASE_POOL, *_NUMBERS.values())
    ]
    snapshot = yield tuple(calls)
    coins = _values(_COINS, snapshot.answers[:_MAX_COINS])
    balances = _values(_BALANCES, snapshot.answers[_MAX_COINS : 2 * _MAX_COINS])
    prices = _values(_PRICE_SCALE, snapshot.answers[16:18])
    rates, base_pool, *found = snapshot.answers[18:]
    numbers = {
        name: values[0]
        for (name, function), answer in zip(_NUMBERS.items(), found, strict=True)
        if (values := _values(function, (answer,)))
    }
    if len(coins) < 2 or len(balances) < len(coins) or "A" not in numbers:
        raise InputError(f"what stands at {address} is no Curve pool", todo="Check the address and the chain")
    base_price = yield from _read_base_price(base_pool, numbers)
    tokens = yield from read_tokens((to_address(coin) for coin in coins), known)
    if "price_scale" in numbers:
        prices = (numbers["price_scale"],)
    stored = _values(_STORED_RATES, (rates,))
    return _Told(
        address,
        tokens,
        balances[: len(tokens)],
        numbers,
        tuple(stored[0]) if stored else None,
        prices,
        base_price,
    )


def _read_base_price(base_pool: Answer, numbers: Mapping[str, int]) -> Reading[int | None]:
    """Read what a meta pool values its base pool's token at: its cache, for ten minutes."""
    found = _values(_BASE_POOL, (base_pool,))
    if not found or "base_virtual_price" not in numbers:
        return None
    base = to_address(found[0])
    snapshot = yield (Call(base, _VIRTUAL_PRICE.encode()),)
    if snapshot.block.timestamp <= numbers["base_cache_updated"] + _BASE_CACHE_S:
        return numbers["base_virtual_price"]
    return int(decode_answer(_VIRTUAL_PRICE, base, snapshot.answers[0])[0])


def _stable_pools(told: _Told) -> Iterator[CurveStablePool]:
    """Yield the pool by each arithmetic that its functions allow."""
    numbers = told.numbers
    plain = tuple(10 ** (36 - token.decimals) for token in told.tokens)
    rates = told.stored_rates or (
        plain if told.base_price_wad is None else (*plain[:-1], told.base_price_wad)
    )
    amp = numbers.get("A_precise", 100 * numbers["A"])
    fees = numbers.get("fee", 0), numbers.get("admin_fee", 0), numbers.get("offpeg_fee_multiplier", 0)
    common = told.address, told.tokens, told.balances, rates
    if fees[2] or told.stored_rates:
        yield CurveStablePool(*common, amp, *fees, StableFlavour.NG)
        return
    if "A_precise" not in numbers:
        yield CurveStablePool(*common, numbers["A"], *fees, StableFlavour.THREEPOOL)
    yield CurveStablePool(*common, amp, *fees, StableFlavour.TEMPLATE)
    yield CurveStablePool(*common, amp, *fees, StableFlavour.NG)  # factory pools divide as NG does


def _crypto_pools(told: _Told) -> Iterator[CurveCryptoPool]:
    """Yield the pool by each arithmetic for its number of tokens."""
    numbers = told.numbers
    if len(told.price_scale_wad) != len(told.tokens) - 1:
        return
    fees = numbers.get("mid_fee", 0), numbers.get("out_fee", 0), numbers.get("fee_gamma", 0)
    common = told.address, told.tokens, told.balances, told.price_scale_wad, numbers.get("D", 0)
    a, gamma = numbers["A"], numbers["gamma"]
    if len(told.tokens) == 2:
        yield CurveCryptoPool(*common, a, gamma, *fees, CryptoFlavour.TWOCRYPTO_NG)
    else:
        yield CurveCryptoPool(*common, a, gamma, *fees, CryptoFlavour.TRICRYPTO_NG)
        yield CurveCryptoPool(*common, a, gamma, *fees, CryptoFlavour.TRICRYPTO)
        # the first tricrypto tells A without its multiplier
        yield CurveCryptoPool(*common, a * A_MULTIPLIER, gamma, *fees, CryptoFlavour.TRICRYPTO)


def _quote(pool: CurvePool, probe: tuple[int, int, int]) -> int | None:
    side_in, side_out, amount = probe
    try:
        return pool.quote(pool.tokens[side_in], pool.tokens[side_out], amount, Exact.IN)
    except PoolRevertError:
        return None


def _values(function: Function, answers: Sequence[Answer]) -> tuple[Any, ...]:
    """Return the first value of each answer, up to the first that failed."""
    values = []
    for answer in answers:
        if not answer.success or len(answer.data) < 32:
            break
        values.append(function.decode(answer.data)[0])
    return tuple(values)
