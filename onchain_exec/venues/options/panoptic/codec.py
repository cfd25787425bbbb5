"""Calldata of a Panoptic pool and of its two vaults of collateral (ERC-4626), by their ABI: unlike the
positions in it, it was not run against a pool."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from onchain_exec.core import Address, Call
from onchain_exec.core.abi import Function
from onchain_exec.venues.options.panoptic.position import PanopticPosition

_MINT: Final = Function("mintOptions(uint256[],uint128,uint64,int24,int24)")
_BURN: Final = Function("burnOptions(uint256,uint256[],int24,int24)")
_DEPOSIT: Final = Function("deposit(uint256,address)")
_WITHDRAW: Final = Function("withdraw(uint256,address,address,uint256[])")
NO_SPREAD_LIMIT: Final = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class TickLimits:
    """The prices, as ticks, that the pool must be within after the call; given high before low, the contract
    swaps what is in range so that only one token moves."""

    low: int
    high: int


def encode_mint(
    pool: Address,
    held: Sequence[PanopticPosition],
    minted: PanopticPosition,
    size: int,
    limits: TickLimits,
    spread_limit_x32: int = NO_SPREAD_LIMIT,
) -> Call:
    """Return the call that opens ``size`` of a position beside all those that the account holds."""
    ids = [position.token_id for position in (*held, minted)]
    return Call(pool, _MINT.encode(ids, size, spread_limit_x32, limits.low, limits.high))


def encode_burn(
    pool: Address, burnt: PanopticPosition, kept: Sequence[PanopticPosition], limits: TickLimits
) -> Call:
    """Return the call that closes a position whole; ``kept`` are all others of the account."""
    ids = [position.token_id for position in kept]
    return Call(pool, _BURN.encode(burnt.token_id, ids, limits.low, limits.high))


def encode_deposit(vault: Address, assets: int, receiver: Address) -> Call:
    """Return the call that deposits collateral; the vault pulls it."""
    return Call(vault, _DEPOSIT.encode(assets, receiver))


def encode_withdraw(vault: Address, assets: int, owner: Address, held: Sequence[PanopticPosition]) -> Call:
    """Return the call that takes collateral out while positions are open; it reverts if they would hold too
    little."""
    return Call(vault, _WITHDRAW.encode(assets, owner, owner, [position.token_id for position in held]))
