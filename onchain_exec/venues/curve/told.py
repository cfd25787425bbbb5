"""What a Curve pool tells of itself, read in two rounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from onchain_exec.core import Address, Answer, BlockRef, Call, Reading, Token, to_address
from onchain_exec.core.abi import Function
from onchain_exec.errors import InputError
from onchain_exec.venues.answer import decode_answer
from onchain_exec.venues.erc20 import read_tokens

_MAX_COINS: Final = 8
_COINS: Final = Function("coins(uint256)", "(address)")
_BALANCES: Final = Function("balances(uint256)", "(uint256)")
_NUMBERS: Final = {
    name: Function(f"{name}()", "(uint256)")
    for name in (
        "A", "A_precise", "fee", "admin_fee", "offpeg_fee_multiplier", "base_virtual_price",
        "base_cache_updated", "gamma", "D", "mid_fee", "out_fee", "fee_gamma", "price_scale",
        "price_oracle", "last_prices", "last_timestamp", "last_prices_timestamp", "totalSupply",
        "virtual_price", "xcp_profit", "packed_rebalancing_params", "initial_A_gamma",
        "future_A_gamma", "initial_A_gamma_time", "future_A_gamma_time",
        "donation_shares", "last_donation_release_ts", "donation_duration",
        "donation_protection_expiry_ts", "donation_protection_period",
        "ma_half_time", "adjustment_step", "allowed_extra_profit", "price_threshold",
        "initial_A", "future_A", "initial_A_time", "future_A_time", "is_killed",
    )
}  # fmt: skip
_PRICES: Final = {
    name: Function(f"{name}(uint256)", "(uint256)") for name in ("price_scale", "price_oracle", "last_prices")
}
_STORED_RATES: Final = Function("stored_rates()", "(uint256[])")
_BASE_POOL: Final = Function("base_pool()", "(address)")
_VERSION: Final = Function("version()", "(string)")
_WRAPPED_NATIVE: Final = Function("WETH20()", "(address)")
_OTHERS: Final = (_STORED_RATES, _BASE_POOL, _VERSION, _WRAPPED_NATIVE)
_VIRTUAL_PRICE: Final = Function("get_virtual_price()", "(uint256)")
_BASE_CACHE_S: Final = 600


@dataclass(frozen=True, slots=True)
class Told:
    """A pool's own answers at a block; a number that it does not tell is missing."""

    block: BlockRef
    address: Address
    tokens: tuple[Token, ...]
    balances: tuple[int, ...]
    numbers: Mapping[str, int]
    prices: Mapping[str, tuple[int, ...]]
    stored_rates: tuple[int, ...] | None
    base_price_wad: int | None
    version: str
    wraps_native: bool


def read_told(address: Address, known: Mapping[Address, Token] | None) -> Reading[Told]:
    """Read all that some kind of Curve pool tells; ``known`` tokens are taken as they are.

    Raises:
        InputError: no Curve pool stands at the address. Of its tokens, see `erc20.read_token`.
    """
    asked: list[tuple[Function, tuple[int, ...]]] = [(_COINS, (index,)) for index in range(_MAX_COINS)]
    asked += [(_BALANCES, (index,)) for index in range(_MAX_COINS)]
    asked += [(function, (index,)) for function in _PRICES.values() for index in range(2)]
    asked += [(function, ()) for function in (*_NUMBERS.values(), *_OTHERS)]
    snapshot = yield tuple(Call(address, function.encode(*arguments)) for function, arguments in asked)
    answers = iter(snapshot.answers)

    def take(function: Function, count: int = 1) -> tuple[Any, ...]:
        return _decode_first(function, [next(answers) for _ in range(count)])

    coins, balances = take(_COINS, _MAX_COINS), take(_BALANCES, _MAX_COINS)
    prices = {name: take(function, 2) for name, function in _PRICES.items()}
    numbers = {name: found[0] for name, function in _NUMBERS.items() if (found := take(function))}
    stored_rates, base_pool, version, wrapped = (take(function) for function in _OTHERS)
    if len(coins) < 2 or len(balances) < len(coins) or "A" not in numbers:
        raise InputError(f"what stands at {address} is no Curve pool", todo="Check the address and the chain")
    tokens = yield from read_tokens((to_address(coin) for coin in coins), known)
    return Told(
        snapshot.block,
        address,
        tokens,
        balances[: len(tokens)],
        numbers,
        {name: (numbers[name],) if name in numbers else found for name, found in prices.items()},
        tuple(stored_rates[0]) if stored_rates else None,
        (yield from _read_base_price(to_address(base_pool[0]), numbers)) if base_pool else None,
        version[0] if version else "",
        bool(wrapped),
    )


def _read_base_price(base: Address, numbers: Mapping[str, int]) -> Reading[int | None]:
    """Read what a meta pool values its base pool's token at: its cache, for ten minutes."""
    if "base_virtual_price" not in numbers:
        return None
    snapshot = yield (Call(base, _VIRTUAL_PRICE.encode()),)
    if snapshot.block.timestamp <= numbers["base_cache_updated"] + _BASE_CACHE_S:
        return numbers["base_virtual_price"]
    return int(decode_answer(_VIRTUAL_PRICE, base, snapshot.answers[0])[0])


def _decode_first(function: Function, answers: Sequence[Answer]) -> tuple[Any, ...]:
    """Return the first value of each answer, up to the first that failed."""
    values = []
    for answer in answers:
        if not answer.success or len(answer.data) < 32:
            break
        values.append(function.decode(answer.data)[0])
    return tuple(values)
