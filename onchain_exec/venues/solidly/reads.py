"""Reads of Solidly pools by address, with the fee of their factory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from onchain_exec.core import Address, Call, Reading, Token, to_address
from onchain_exec.core.abi import Function
from onchain_exec.errors import NoPoolError
from onchain_exec.venues.answer import decode_answer
from onchain_exec.venues.erc20 import read_tokens
from onchain_exec.venues.solidly.pool import SolidlyPool
from onchain_exec.venues.solidly.stable_curve import Variant

_METADATA: Final = Function("metadata()", "(uint256,uint256,uint256,uint256,bool,address,address)")
_FACTORY: Final = Function("factory()", "(address)")
_IS_PAUSED: Final = Function("isPaused()", "(bool)")
_GET_FEE: Final = Function("getFee(address,bool)", "(uint256)")
_GET_FEE_V1: Final = Function("getFee(bool)", "(uint256)")
_PIPS_PER_BPS: Final = 100
_BASE: Final = 8453


def read_solidly_pool(
    address: Address,
    known: Mapping[Address, Token] | None = None,
    factory: Address | None = None,
    variant: Variant | None = None,
) -> Reading[SolidlyPool]:
    """Read a pool of Solidly, Velodrome or Aerodrome; ``known`` tokens are taken as they are.

    ``factory`` is for the pools of version 1, which do not tell it. Without a ``variant``, a factory
    with one fee for all pools means `Variant.SOLIDLY`, and of the others those on Base run
    `Variant.AERODROME`.

    Raises:
        InputError: no such pool, or none with a factory that tells its fee, stands at the address. Of
            its tokens, see `erc20.read_token`.
        NoPoolError: its factory is paused.
    """
    snapshot = yield (Call(address, _METADATA.encode()), Call(address, _FACTORY.encode()))
    metadata, factory_answer = snapshot.answers
    _, _, reserve0, reserve1, stable, *addresses = decode_answer(_METADATA, address, metadata)
    factory = factory or to_address(decode_answer(_FACTORY, address, factory_answer)[0])
    snapshot = yield (
        Call(factory, _IS_PAUSED.encode()),
        Call(factory, _GET_FEE.encode(address, stable)),
        Call(factory, _GET_FEE_V1.encode(stable)),
    )
    paused, own_fee, common_fee = snapshot.answers
    if decode_answer(_IS_PAUSED, factory, paused)[0]:
        raise NoPoolError(f"the factory {factory} of pool {address} is paused")
    if own_fee.success:
        (fee_bps,) = decode_answer(_GET_FEE, factory, own_fee)
        found = Variant.AERODROME if snapshot.block.chain_id == _BASE else Variant.VELODROME_V2
    else:
        (fee_bps,) = decode_answer(_GET_FEE_V1, factory, common_fee)
        found = Variant.SOLIDLY
    token0, token1 = yield from read_tokens((to_address(token) for token in addresses), known)
    return SolidlyPool(
        address, token0, token1, reserve0, reserve1, stable, fee_bps * _PIPS_PER_BPS, variant or found
    )
