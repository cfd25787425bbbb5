"""Find the route: the best single path, then every split that earns more than its gas."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Final, TypeAlias

from onchain_exec.core import BlockRef, Exact
from onchain_exec.errors import InputError, NoRouteError, PoolRevertError, StaleStateError
from onchain_exec.routing.paths import Path, find_paths
from onchain_exec.routing.route import GasModel, Route, Terms
from onchain_exec.routing.settle import Settlement, settle
from onchain_exec.routing.split import UNFILLABLE, Value, split_amount, value_of
from onchain_exec.venues import PoolSet

_NO_GAS: Final = GasModel()
_SPLIT_PATHS: Final = 8
_PROBE: Final = 16

Proposal: TypeAlias = tuple[tuple[Path, ...], list[int]]
"""Paths and what each is given."""


def find_route(
    terms: Terms, pools: PoolSet, gas: GasModel = _NO_GAS, *, block: BlockRef | None = None
) -> Route:
    """Return the route of one or two hops that is worth most after gas, in exact integers.

    Exact.IN maximises what comes out, Exact.OUT minimises what goes in; either way the result is
    never worse after gas than the best single path. The same input gives the same route.

    Raises:
        InputError: the terms trade a token for itself, or nothing.
        StaleStateError: ``block`` is given and the pools were read at another.
        NoPoolError: no pool connects the tokens.
        NoRouteError: pools connect them, but none can fill the amount.
    """
    _require_sound(terms, pools, block)
    paths = find_paths(terms.token_in, terms.token_out, pools)

    def worth(settled: Settlement) -> int:
        traded = settled.amount_out if terms.exact is Exact.IN else -settled.amount_in
        return traded - gas.cost(settled.gas_units)

    singles = _settled([((path,), [terms.amount]) for path in paths], terms.exact)
    splits = _settled(_find_splits(paths, terms), terms.exact)
    best_single = max(singles, key=worth, default=None)
    best = max([*singles, *splits], key=worth, default=None)
    if best is None:
        raise NoRouteError(
            f"{len(paths)} paths lead from {terms.token_in} to {terms.token_out} at {pools.block}, "
            f"none fills {terms.amount} base units",
            needed="liquidity for the whole amount",
            todo="Trade less, or add pools to the search",
        )
    return Route(
        block=pools.block,
        token_in=terms.token_in,
        token_out=terms.token_out,
        exact=terms.exact,
        amount_in=best.amount_in,
        amount_out=best.amount_out,
        legs=best.legs,
        best_single_amount=_other_side(best_single, terms) if best_single else None,
        gas_units=best.gas_units,
    )


def _require_sound(terms: Terms, pools: PoolSet, block: BlockRef | None) -> None:
    if terms.token_in == terms.token_out:
        raise InputError(f"{terms.token_in} is traded for itself", needed="two different tokens")
    if terms.amount <= 0:
        raise InputError(f"the amount is {terms.amount} base units", needed="more than zero")
    if block is not None and block != pools.block:
        raise StaleStateError(
            f"the pools were read at {pools.block}",
            needed=f"pools at {block}",
            todo="Read the pools again at the block of the decision",
        )


def _find_splits(paths: tuple[Path, ...], terms: Terms) -> Iterator[Proposal]:
    """Yield splits over ever fewer paths: each drops the path that carried least."""
    sign = 1 if terms.exact is Exact.IN else -1
    valued = [(path, value_of(path.quoter(terms.exact), sign)) for path in paths]
    chosen = _promising(valued, terms.amount)
    while len(chosen) > 1:
        amounts = split_amount(terms.amount, [value for _, value in chosen])
        used = [(pair, amount) for pair, amount in zip(chosen, amounts, strict=True) if amount]
        yield tuple(path for (path, _), _ in used), [amount for _, amount in used]
        least = min(range(len(used)), key=lambda index: used[index][1])
        chosen = [pair for index, (pair, _) in enumerate(used) if index != least]


def _promising(valued: list[tuple[Path, Value]], amount: int) -> list[tuple[Path, Value]]:
    """Return the paths that give most for a part of the amount: the ones a split would use first."""
    probe = -(-amount // _PROBE)
    ranked = sorted(valued, key=lambda pair: pair[1](probe), reverse=True)
    return [pair for pair in ranked[:_SPLIT_PATHS] if pair[1](probe) > UNFILLABLE]


def _settled(proposals: Iterable[Proposal], exact: Exact) -> list[Settlement]:
    """Return the proposals that the pools can fill, in exact integers."""
    found = []
    for paths, amounts in proposals:
        with suppress(PoolRevertError):
            found.append(settle(paths, amounts, exact))
    return found


def _other_side(found: Settlement, terms: Terms) -> int:
    return found.amount_out if terms.exact is Exact.IN else found.amount_in
