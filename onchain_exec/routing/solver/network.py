"""The pools of one block as a graph of directed curves: built once, searched many times."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any, Final, NamedTuple, Self, TypeAlias

import numpy as np

from onchain_exec.core import Address, BlockRef, Token
from onchain_exec.errors import NoPoolError
from onchain_exec.routing.gas import hop_gas
from onchain_exec.routing.oracles import Curves, Edges, FloatArray, IndexArray, describe, resist
from onchain_exec.venues import Pool, PoolSet
from onchain_exec.venues.balancer import BalancerStablePool, BalancerWeightedPool
from onchain_exec.venues.concentrated import ConcentratedPool
from onchain_exec.venues.curve import CurveCryptoPool, CurveStablePool
from onchain_exec.venues.solidly import SolidlyPool
from onchain_exec.venues.uniswap_v2 import UniswapV2Pool
from onchain_exec.venues.vaults import Erc4626Pool, WrappedNativePool

Describe: TypeAlias = Callable[[Sequence[Any]], tuple[Curves, list[describe.Side]] | None]


def _no_spare(curves: Curves) -> FloatArray | float:
    return 0.0


def _unit_out(curves: Curves) -> FloatArray | float:
    """The fee is rounded down, in base units of the output."""
    return 1.0


def _unit_in(curves: Curves) -> FloatArray | float:
    """The fee is rounded down, in base units of the input."""
    return np.exp(curves.start())


class _Kind(NamedTuple):
    """How pools of a class are described, and the units out that their contract may give beyond the curve."""

    pool_type: type
    describe: Describe
    spare: Callable[[Any], FloatArray | float] = _no_spare


_KINDS: Final = (
    _Kind(UniswapV2Pool, describe.constant_product),
    _Kind(ConcentratedPool, describe.concentrated),
    _Kind(BalancerWeightedPool, describe.weighted),
    _Kind(BalancerStablePool, describe.balancer_stable),
    _Kind(Erc4626Pool, describe.erc4626, attrgetter("slack")),
    _Kind(WrappedNativePool, describe.wrapped_native, attrgetter("slack")),
    _Kind(CurveStablePool, describe.curve_stable, _unit_out),
    _Kind(CurveCryptoPool, describe.curve_crypto, attrgetter("slack")),
    _Kind(SolidlyPool, describe.solidly_volatile, _unit_in),
    _Kind(SolidlyPool, describe.solidly_stable, _unit_in),
)


@dataclass(frozen=True, slots=True)
class Network:
    """Every pool that has an oracle as directed edges, both ways; ``unknown`` are those that have none.
    ``gas_units`` is what a swap through each pool is expected to take.

    Pools and tokens are in the order of their keys and addresses, whatever order they came in.
    """

    block: BlockRef
    pools: tuple[Pool, ...]
    tokens: tuple[Token, ...]
    edges: Edges
    unknown: tuple[Pool, ...]
    gas_units: FloatArray

    @classmethod
    def build(cls, pools: PoolSet) -> Self:
        """Return the graph of ``pools``, each of which counts once however often it is there. For thousands
        of pools keep it for as long as the block."""
        by_key = {pool.key: pool for pool in pools.pools}
        ordered = tuple(by_key[key] for key in sorted(by_key))
        by_address = {token.address: token for pool in ordered for token in pool.tokens}
        tokens = tuple(by_address[address] for address in sorted(by_address))
        number = {token.address: index for index, token in enumerate(tokens)}
        described = [_describe(kind, ordered, number) for kind in _KINDS]
        return cls(
            pools.block,
            ordered,
            tokens,
            _join([part for part in described if part is not None]),
            tuple(pool for pool in ordered if not _is_known(pool)),
            np.array([hop_gas(pool.kind) for pool in ordered], float),
        )

    @property
    def fixed(self) -> tuple[Pool, ...]:
        """The pools whose rate no trade moves."""
        return tuple(self.pools[number] for number in np.unique(self.edges.pool[self.edges.linear]).tolist())

    def without_fixed(self) -> Self:
        """Return the graph without `fixed`: where flows go round, nothing says how much a straight line
        carries."""
        linear = self.edges.linear
        if not len(linear):
            return self
        return replace(self, edges=self.edges.take(np.delete(np.arange(len(self.edges)), linear)))

    def start_after(self, changed: Sequence[Pool]) -> FloatArray:
        """Return each edge's log marginal rate at zero, with ``changed`` for the pools of their keys."""
        part = Network.build(PoolSet(self.block, tuple(changed)))
        rates = dict(zip(part.sides(), part.edges.start().tolist(), strict=True))
        keys = {pool.key for pool in changed}
        touched = [number for number, pool in enumerate(self.pools) if pool.key in keys]
        start, sides = self.edges.start().copy(), self.sides()
        for edge in np.flatnonzero(np.isin(self.edges.pool, touched)).tolist():
            start[edge] = rates.get(sides[edge], -np.inf)
        return start

    def sides(self) -> list[tuple[str, Address, Address]]:
        """Return each edge's pool, by its key, and the addresses of what goes in and comes out."""
        edges = self.edges
        return [
            (self.pools[pool].key, self.tokens[source].address, self.tokens[target].address)
            for pool, source, target in zip(
                edges.pool.tolist(), edges.source.tolist(), edges.target.tolist(), strict=True
            )
        ]

    def number(self, token: Token) -> int:
        """Return the index of ``token``.

        Raises:
            NoPoolError: no pool holds it.
        """
        index = bisect_left(self.tokens, token.address, key=lambda known: known.address)
        if index < len(self.tokens) and self.tokens[index].address == token.address:
            return index
        raise NoPoolError(
            f"none of the {len(self.pools)} pools at {self.block} holds {token}",
            needed=f"a pool with {token} ({token.address})",
            todo="Check the token's address, or add a protocol or fee tier to the search",
        )


def _is_known(pool: Pool) -> bool:
    if isinstance(pool, CurveCryptoPool):
        return describe.is_crypto_swap(pool)
    return isinstance(pool, tuple(kind.pool_type for kind in _KINDS))


_Part: TypeAlias = tuple[Curves, IndexArray, FloatArray]


def _describe(kind: _Kind, pools: tuple[Pool, ...], number: dict[Address, int]) -> _Part | None:
    """Return the curves of the pools of ``kind``, their rows (source, target, pool) and rounding."""
    places = [place for place, pool in enumerate(pools) if isinstance(pool, kind.pool_type)]
    described = kind.describe([pools[place] for place in places])
    if described is None:
        return None
    curves, sides = described
    rows = []
    for position, side_in, side_out in sides:
        place = places[position]
        tokens = pools[place].tokens
        rows.append((number[tokens[side_in].address], number[tokens[side_out].address], place))
    rounding = np.broadcast_to(np.asarray(kind.spare(curves), float), len(rows))
    return curves, np.array(rows, dtype=np.intp), rounding


def _join(parts: list[_Part]) -> Edges:
    rows = np.concatenate([rows for _, rows, _ in parts] or [np.empty((0, 3), np.intp)])
    rounding = np.concatenate([rounding for *_, rounding in parts] or [np.empty(0)])
    resistance = np.concatenate([resist(curves) for curves, *_ in parts] or [np.empty(0)])
    source, target, pool = np.ascontiguousarray(rows.T)
    ends = np.cumsum([len(rows) for _, rows, _ in parts]).tolist()
    groups = tuple(curves for curves, *_ in parts)
    return Edges(source, target, pool, rounding, resistance, groups, tuple(ends))
