"""The pools of pairs of tokens, from the protocols' own factories and registries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from typing import Any, Final, TypeAlias

from onchain_exec.app.configuration.registry import ChainProfile
from onchain_exec.app.pools.log_search import search_logs
from onchain_exec.chain import LogFilter, Node
from onchain_exec.core import ZERO_ADDRESS, Address, BlockRef, Reading, Token, all_of, to_address
from onchain_exec.core.abi import Event
from onchain_exec.errors import InputError, PoolRevertError, StateError
from onchain_exec.venues import Pool
from onchain_exec.venues.balancer import read_balancer_pool
from onchain_exec.venues.uniswap_v2 import UniswapV2Deployment, read_v2_pools
from onchain_exec.venues.uniswap_v3 import UniswapV3Deployment, read_v3_pools
from onchain_exec.venues.uniswap_v4 import UniswapV4Deployment, read_v4_pools
from onchain_exec.venues.vaults import read_wrapped_native

Pair: TypeAlias = tuple[Token, Token]
Contracts: TypeAlias = Mapping[str, Address]

LOG_BLOCKS: Final = 2_000_000
"""How far back Balancer's registrations are looked for; its Vault keeps no list of a pair's pools."""

_TOKENS_REGISTERED: Final = Event(
    "TokensRegistered(bytes32,address[],address[])", ("bytes32",), ("address[]", "address[]")
)


def _read_v2(contracts: Contracts, pair: Pair) -> Reading[tuple[Any, ...]]:
    return read_v2_pools(UniswapV2Deployment(contracts["factory"]), *pair)


def _read_v3(contracts: Contracts, pair: Pair) -> Reading[tuple[Any, ...]]:
    return read_v3_pools(UniswapV3Deployment(contracts["factory"]), *pair)


def _read_v4(contracts: Contracts, pair: Pair) -> Reading[tuple[Any, ...]]:
    return read_v4_pools(UniswapV4Deployment(contracts["pool_manager"]), *pair)


_BY_PAIR: Final[Mapping[str, Callable[[Contracts, Pair], Reading[tuple[Any, ...]]]]] = {
    "uniswap_v2": _read_v2,
    "uniswap_v3": _read_v3,
    "uniswap_v4": _read_v4,
}
_V4: Final = "uniswap_v4"
_BALANCER: Final = "balancer_v2"

PROTOCOLS: Final = (*_BY_PAIR, _BALANCER)
"""All whose pools can be found."""


@dataclass(frozen=True, slots=True)
class FoundPool:
    """A pool that fills a pair. ``depth`` is what moves its price by 1 %, in base units of token_in;
    ``price`` whole token_out per whole token_in, without fee."""

    pool: Pool
    token_in: Token
    token_out: Token
    fee_pips: int
    depth: int
    price: Fraction


async def find_pools(
    node: Node,
    profile: ChainProfile,
    pairs: Iterable[Pair],
    block: BlockRef,
    protocols: Sequence[str] = PROTOCOLS,
) -> tuple[Pool, ...]:
    """Return the pools of the pairs that hold something to trade, read at ``block``, none twice.

    v4 pools of the native coin are among those of its wrapped token, then with the contract that wraps
    it. Balancer's are those registered in the last `LOG_BLOCKS` blocks. A protocol that the chain has
    not listed has no pools.

    Raises:
        NodeError: the node fails, or refuses any search of the logs.
    """
    wanted = list(pairs)
    listed = [name for name in protocols if name in profile.protocols]
    readings = [
        _BY_PAIR[name](profile.protocols[name], pair)
        for name in listed
        if name in _BY_PAIR
        for pair in (_add_native(profile, wanted) if name == _V4 else wanted)
    ]
    if _BALANCER in listed:
        found = await _find_balancer(node, profile.protocols[_BALANCER]["vault"], block, wanted)
        readings += [_read_usable(address, wanted) for address in found]
    pools = {pool.key: pool for pool in chain(*await node.perform(all_of(readings), block))}
    if any(token.address == ZERO_ADDRESS for pool in pools.values() for token in pool.tokens):
        wrapped = read_wrapped_native(profile.wrapped_native, profile.native_symbol)
        pool: Pool = await node.perform(wrapped, block)
        pools[pool.key] = pool
    return tuple(pools.values())


def rank_pools(
    profile: ChainProfile, pools: Iterable[Pool], token_in: Token, token_out: Token
) -> list[FoundPool]:
    """Return those of ``pools`` that give token_out for token_in, the deepest first.

    The native coin stands for its wrapped token.
    """
    found = []
    for pool in pools:
        sold, bought = (_get_traded(profile, pool, token) for token in (token_in, token_out))
        if sold is None or bought is None or sold == bought:
            continue
        try:
            depth = pool.depth(sold, bought, 100)
        except PoolRevertError:
            continue
        if depth:
            price = pool.spot_price(sold, bought) * Fraction(10**sold.decimals, 10**bought.decimals)
            found.append(FoundPool(pool, sold, bought, pool.fee_pips(sold, bought), depth, price))
    return sorted(found, key=lambda one: one.depth, reverse=True)


def _get_traded(profile: ChainProfile, pool: Pool, token: Token) -> Token | None:
    """Return the pool's token that ``token`` is, wrapped or not."""
    alike = {token.address} | ({ZERO_ADDRESS} if token == profile.wrapped_native else set())
    return next((traded for traded in pool.tokens if traded.address in alike), None)


def _add_native(profile: ChainProfile, pairs: Sequence[Pair]) -> list[Pair]:
    """Return the pairs, and those of the wrapped coin with the coin itself in its place too."""
    native = Token(profile.chain_id, ZERO_ADDRESS, profile.native_symbol, 18)
    wrapped = profile.wrapped_native
    with_native = [
        (native if one == wrapped else one, native if other == wrapped else other)
        for one, other in pairs
        if wrapped in (one, other)
    ]
    return [*pairs, *with_native]


async def _find_balancer(
    node: Node, vault: Address, block: BlockRef, pairs: Sequence[Pair]
) -> tuple[Address, ...]:
    """Return the pools whose registered tokens contain a pair; a pool's id begins with its address."""
    wanted = [{one.address, other.address} for one, other in pairs]
    search = LogFilter((vault,), ((_TOKENS_REGISTERED.topic,),))
    found: dict[Address, None] = {}
    async for logs in search_logs(node, search, max(0, block.number - LOG_BLOCKS), block.number):
        for log in logs:
            (pool_id,), (tokens, _) = _TOKENS_REGISTERED.decode(log.topics, log.data)
            held = {to_address(token) for token in tokens}
            if any(pair <= held for pair in wanted):
                found[to_address(pool_id[:20])] = None
    return tuple(found)


def _read_usable(address: Address, pairs: Sequence[Pair]) -> Reading[tuple[Any, ...]]:
    """Read a Balancer pool; none if it is paused, of a kind that is not modelled, or empty."""
    known = {token.address: token for pair in pairs for token in pair}
    try:
        pool = yield from read_balancer_pool(address, known)
    except (StateError, InputError):
        return ()
    return (pool,) if all(pool.balances) else ()
