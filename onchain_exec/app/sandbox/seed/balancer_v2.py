"""Balancer v2 pools: weighted of two and three tokens, composable stable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from onchain_exec.app.sandbox.erc20 import approve
from onchain_exec.app.sandbox.evm import DEPLOYER, Evm, create_through
from onchain_exec.app.sandbox.seed.prices import get_amount
from onchain_exec.core import ZERO_ADDRESS, Address, Token, address_bytes, to_address
from onchain_exec.core.abi import Function
from onchain_exec.core.encoding import encode
from onchain_exec.core.fixed_point import MAX_UINT256

_CREATE_WEIGHTED = Function(
    "create(string,string,address[],uint256[],address[],uint256,address)", "(address)"
)
_CREATE_STABLE = Function(
    "create(string,string,address[],uint256,address[],uint256[],bool[],uint256,address)", "(address)"
)
_GET_POOL_ID = Function("getPoolId()", "(bytes32)")
_GET_POOL_TOKENS = Function("getPoolTokens(bytes32)", "(address[],uint256[],uint256)")
_JOIN = Function("joinPool(bytes32,address,address,(address[],uint256[],bytes,bool))")
_INIT_JOIN = 0
_WAD = 10**18


@dataclass(frozen=True, slots=True)
class WeightedPool:
    """``weights`` are percent by symbol; ``usd`` is what the whole pool is worth; each symbol in
    ``skew_bps`` has so much more of it than its weight asks for, which makes it cheaper."""

    weights: Mapping[str, int]
    swap_fee_wad: int
    usd: int
    skew_bps: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class StablePool:
    """``usd`` is the worth of each token's balance."""

    symbols: tuple[str, ...]
    amplification: int
    swap_fee_wad: int
    usd: int


WEIGHTED_POOLS = (
    WeightedPool({"WETH": 50, "USDC": 50}, 2 * 10**15, 4_000_000, {"WETH": 5}),
    WeightedPool({"WETH": 80, "DAI": 20}, 3 * 10**15, 5_000_000, {"DAI": 8}),
    WeightedPool({"WBTC": 40, "WETH": 40, "USDC": 20}, 3 * 10**15, 6_000_000, {"WBTC": -7}),
)
STABLE_POOLS = (StablePool(("DAI", "USDC"), 500, 4 * 10**14, 4_000_000),)


def seed_balancer_v2(
    evm: Evm, contracts: Mapping[str, Address], tokens: Mapping[str, Token]
) -> tuple[str, ...]:
    """Create the pools of ``WEIGHTED_POOLS`` and ``STABLE_POOLS``; return their keys in that order.

    The deployer holds tokens already, as `seed_uniswap_v3` leaves it.
    """
    for token in tokens.values():
        approve(evm, token, DEPLOYER, contracts["vault"])
    return (
        *(f"balancer_weighted:{_seed_weighted(evm, contracts, tokens, pool)}" for pool in WEIGHTED_POOLS),
        *(f"balancer_stable:{_seed_stable(evm, contracts, tokens, pool)}" for pool in STABLE_POOLS),
    )


def _seed_weighted(
    evm: Evm, contracts: Mapping[str, Address], tokens: Mapping[str, Token], pool: WeightedPool
) -> Address:
    held = _sorted(tokens[symbol] for symbol in pool.weights)
    create = _CREATE_WEIGHTED.encode(
        *_name(held),
        [token.address for token in held],
        [pool.weights[token.symbol] * _WAD // 100 for token in held],
        [ZERO_ADDRESS] * len(held),
        pool.swap_fee_wad,
        ZERO_ADDRESS,
    )
    address = create_through(evm, contracts["weighted_pool_factory"], create)
    amounts = {
        token.address: get_amount(token, pool.usd * pool.weights[token.symbol] // 100)
        * (10_000 + pool.skew_bps.get(token.symbol, 0))
        // 10_000
        for token in held
    }
    _join(evm, contracts["vault"], address, amounts)
    return address


def _seed_stable(
    evm: Evm, contracts: Mapping[str, Address], tokens: Mapping[str, Token], pool: StablePool
) -> Address:
    held = _sorted(tokens[symbol] for symbol in pool.symbols)
    create = _CREATE_STABLE.encode(
        *_name(held),
        [token.address for token in held],
        pool.amplification,
        [ZERO_ADDRESS] * len(held),
        [0] * len(held),
        [False] * len(held),
        pool.swap_fee_wad,
        ZERO_ADDRESS,
    )
    address = create_through(evm, contracts["composable_stable_pool_factory"], create)
    _join(evm, contracts["vault"], address, {token.address: get_amount(token, pool.usd) for token in held})
    return address


def _join(evm: Evm, vault: Address, pool: Address, amounts: Mapping[Address, int]) -> None:
    """Give a pool its first balances. A stable pool also holds its own token, which it makes itself."""
    (pool_id,) = _GET_POOL_ID.decode(evm.static_call(pool, _GET_POOL_ID.encode()))
    held = _GET_POOL_TOKENS.decode(evm.static_call(vault, _GET_POOL_TOKENS.encode(pool_id)))[0]
    given = [amounts.get(to_address(asset), 0) for asset in held]
    kind = encode(["uint256", "uint256[]"], [_INIT_JOIN, given])
    request = (held, [MAX_UINT256] * len(held), kind, False)
    evm.call(DEPLOYER, vault, _JOIN.encode(pool_id, DEPLOYER, DEPLOYER, request))


def _sorted(tokens: Iterable[Token]) -> list[Token]:
    return sorted(tokens, key=lambda token: address_bytes(token.address))


def _name(tokens: Sequence[Token]) -> tuple[str, str]:
    name = "-".join(token.symbol for token in tokens)
    return name, f"B-{name}"
