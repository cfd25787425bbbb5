"""Several swaps in one call of the Vault, which settles only their ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

from onchain_exec.core import Address, Exact, Token
from onchain_exec.core.abi import Function
from onchain_exec.errors import InputError
from onchain_exec.venues.balancer.pool import FUNDS_TYPE, GIVEN, BalancerPool
from onchain_exec.venues.pool import Hop, Leg
from onchain_exec.venues.swap_router.legs import require_legs
from onchain_exec.venues.terms import SwapTerms

_BATCH_SWAP: Final = Function(
    f"batchSwap(uint8,(bytes32,uint256,uint256,uint256,bytes)[],address[],{FUNDS_TYPE},int256[],uint256)",
    "(int256[])",
)
_CALCULATED: Final = 0
"""As the amount of a step: what the Vault calculated for the step before."""

_Step: TypeAlias = tuple[bytes, int, int, int, bytes]


def build_batch_swap(legs: tuple[Leg, ...], terms: SwapTerms, payer: Address) -> tuple[Address, bytes, int]:
    """Return (to, calldata, 0) of ``Vault.batchSwap`` along ``legs``, which ``payer`` sends.

    One pair of bounds holds for all legs together. Exact output runs each leg from its end. What is
    between the ends passes inside the Vault, to the unit, and nothing of it is left.

    Raises:
        InputError: a hop through another pool than one Vault's, or as of `require_legs`.
    """
    require_legs(legs, terms)
    hops = [hop for leg in legs for hop in leg.hops]
    tokens = list(dict.fromkeys(token for hop in hops for token in (hop.token_in, hop.token_out)))
    limits = [0] * len(tokens)
    limits[tokens.index(hops[0].token_in)] = terms.amount_in_max
    limits[tokens.index(hops[-1].token_out)] = -terms.amount_out_min
    data = _BATCH_SWAP.encode(
        GIVEN[terms.exact],
        [step for leg in legs for step in _list_steps(leg, tokens, terms.exact)],
        [token.address for token in tokens],
        (payer, False, terms.recipient, False),
        limits,
        terms.deadline_at,
    )
    (vault,) = _require_one_vault(hops)
    return vault, data, 0


def _list_steps(leg: Leg, tokens: list[Token], exact: Exact) -> Iterator[_Step]:
    amount = leg.amount_in if exact is Exact.IN else leg.amount_out
    for hop in leg.hops if exact is Exact.IN else leg.hops[::-1]:
        sides = tokens.index(hop.token_in), tokens.index(hop.token_out)
        yield _get_pool(hop).pool_id_bytes, *sides, amount, b""
        amount = _CALCULATED


def _require_one_vault(hops: list[Hop]) -> set[Address]:
    vaults = {_get_pool(hop).vault for hop in hops}
    if len(vaults) != 1:
        raise InputError(f"hops through the Vaults {', '.join(sorted(vaults))}", needed="one Vault")
    return vaults


def _get_pool(hop: Hop) -> BalancerPool:
    if isinstance(hop.pool, BalancerPool):
        return hop.pool
    raise InputError(f"the Vault does not hold {hop.pool.key}", needed="hops through Balancer's pools")
