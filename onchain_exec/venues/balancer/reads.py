"""Reads of Balancer pools by address: what kind each is, its balances in the Vault, its rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from onchain_exec.core import ZERO_ADDRESS, Address, Call, Reading, Token, to_address
from onchain_exec.core.abi import Function
from onchain_exec.core.fixed_point import WAD
from onchain_exec.errors import NoPoolError
from onchain_exec.venues.answer import decode_answer
from onchain_exec.venues.balancer.stable import BalancerStablePool
from onchain_exec.venues.balancer.weighted import BalancerWeightedPool
from onchain_exec.venues.erc20 import read_tokens

_POOL_ID: Final = Function("getPoolId()", "(bytes32)")
_VAULT: Final = Function("getVault()", "(address)")
_SWAP_FEE: Final = Function("getSwapFeePercentage()", "(uint256)")
_PAUSED: Final = Function("getPausedState()", "(bool,uint256,uint256)")
_WEIGHTS: Final = Function("getNormalizedWeights()", "(uint256[])")
_AMP: Final = Function("getAmplificationParameter()", "(uint256,bool,uint256)")
_RATE_PROVIDERS: Final = Function("getRateProviders()", "(address[])")
_IN_RECOVERY_MODE: Final = Function("inRecoveryMode()", "(bool)")
_POOL_TOKENS: Final = Function("getPoolTokens(bytes32)", "(address[],uint256[],uint256)")
_TOKEN_RATE_CACHE: Final = Function("getTokenRateCache(address)")
_PRICE_RATE_CACHE: Final = Function("getPriceRateCache(address)")
_GET_RATE: Final = Function("getRate()", "(uint256)")

_ALWAYS: Final = (_POOL_ID, _VAULT, _SWAP_FEE, _PAUSED)
_SOMETIMES: Final = (_WEIGHTS, _AMP, _RATE_PROVIDERS, _IN_RECOVERY_MODE)


def read_balancer_pool(
    address: Address, known: Mapping[Address, Token] | None = None
) -> Reading[BalancerWeightedPool | BalancerStablePool]:
    """Read a weighted or stable pool of any generation; ``known`` tokens are taken as they are.

    The pools since 2022 are told by their recovery mode: their powers and invariants round otherwise.
    Rates are those that a swap in the block would use: cached, or the provider's where the cache has
    run out.

    Raises:
        InputError: no Balancer pool stands at the address. Of its tokens, see `erc20.read_token`.
        NoPoolError: it is paused, or neither weighted nor stable.
    """
    snapshot = yield tuple(Call(address, function.encode()) for function in _ALWAYS + _SOMETIMES)
    (pool_id,), (vault,), (fee_wad,), (paused, *_) = (
        decode_answer(function, address, answer)
        for function, answer in zip(_ALWAYS, snapshot.answers, strict=False)
    )
    if paused:
        raise NoPoolError(f"the Balancer pool at {address} is paused", todo="Leave it out of the market")
    weights, amp, providers, recovers = (
        function.decode(answer.data) if answer.success and answer.data else None
        for function, answer in zip(_SOMETIMES, snapshot.answers[len(_ALWAYS) :], strict=True)
    )
    snapshot = yield (Call(to_address(vault), _POOL_TOKENS.encode(pool_id)),)
    addresses, balances, _ = decode_answer(_POOL_TOKENS, to_address(vault), snapshot.answers[0])
    held = {to_address(token): balance for token, balance in zip(addresses, balances, strict=True)}
    providers_of = dict(zip(held, map(to_address, providers[0] if providers else ()), strict=False))
    held.pop(address, None)  # the pool's own token, premined into its own balance
    tokens = yield from read_tokens(held, known)
    common = (address, "0x" + pool_id.hex(), to_address(vault), tokens, tuple(held.values()), fee_wad)
    if weights is not None:
        return BalancerWeightedPool(*common, tuple(weights[0]), 2 if recovers is not None else 1)
    if amp is None:
        raise NoPoolError(f"the Balancer pool at {address} is neither weighted nor stable")
    rated = [token for token in tokens if providers_of.get(token.address, ZERO_ADDRESS) != ZERO_ADDRESS]
    rates = yield from _read_rates(address, rated, providers_of)
    factors = tuple(10 ** (18 - token.decimals) * rates.get(token, WAD) for token in tokens)
    value, is_ramping, _ = amp
    return BalancerStablePool(*common, factors, value, recovers is None, not (rated or is_ramping))


def _read_rates(
    pool: Address, rated: Sequence[Token], providers: Mapping[Address, Address]
) -> Reading[dict[Token, int]]:
    """Read the rates, with 18 decimals, of the tokens that have a provider."""
    if not rated:
        return {}
    calls = [
        call
        for token in rated
        for call in (
            Call(pool, _TOKEN_RATE_CACHE.encode(token.address)),
            Call(pool, _PRICE_RATE_CACHE.encode(token.address)),
            Call(providers[token.address], _GET_RATE.encode()),
        )
    ]
    snapshot = yield tuple(calls)
    rates = {}
    for index, token in enumerate(rated):
        *caches, fresh = snapshot.answers[3 * index : 3 * index + 3]
        cached = next((answer.data for answer in caches if answer.success), b"")
        rate, expires_at = int.from_bytes(cached[:32], "big"), int.from_bytes(cached[-32:], "big")
        if not cached or snapshot.block.timestamp > expires_at:
            (rate,) = decode_answer(_GET_RATE, providers[token.address], fresh)
        rates[token] = rate
    return rates
