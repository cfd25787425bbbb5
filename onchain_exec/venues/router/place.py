"""How the Router reaches a pool."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from onchain_exec.core import ZERO_ADDRESS, Address
from onchain_exec.errors import InputError
from onchain_exec.venues.balancer import BalancerPool
from onchain_exec.venues.curve import CurveCryptoPool, CurveStablePool
from onchain_exec.venues.pool import Hop
from onchain_exec.venues.router.codec import Venue
from onchain_exec.venues.sides import find_sides
from onchain_exec.venues.solidly import SolidlyPool
from onchain_exec.venues.uniswap_v2 import UniswapV2Pool
from onchain_exec.venues.uniswap_v3 import UniswapV3Pool
from onchain_exec.venues.uniswap_v4 import UniswapV4Pool
from onchain_exec.venues.vaults import Erc4626Pool, WrappedNativePool

_UNSIGNED_INDICES: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class RouterDeployment:
    """A Router and the contracts it was built for."""

    address: Address
    wrapped_native: Address
    pool_manager: Address
    balancer_vault: Address


@dataclass(frozen=True, slots=True)
class Place:
    """A pool as a hop names it (``IRouter.Venue`` says what ``pool`` and ``data`` are at each)."""

    venue: Venue
    pool: Address
    data: int


def find_place(hop: Hop, router: RouterDeployment) -> Place:
    """Return how ``router`` reaches the hop's pool.

    Raises:
        InputError: it does not: another PoolManager, Vault or wrapped coin, or another kind of pool.
    """
    match hop.pool:
        case UniswapV2Pool(address=address, swap_fee_pips=fee_pips):
            place = Place(Venue.UNISWAP_V2, address, fee_pips)
        case UniswapV3Pool(address=address):
            place = Place(Venue.UNISWAP_V3, address, 0)
        case UniswapV4Pool(address=router.pool_manager, pool_key=key):
            place = Place(Venue.UNISWAP_V4, key.hooks, key.fee << 24 | key.tick_spacing & 0xFFFFFF)
        case BalancerPool(vault=router.balancer_vault, address=address, pool_id=pool_id):
            place = Place(Venue.BALANCER_V2, address, int(pool_id, 16))
        case CurveStablePool(address=address):
            place = Place(Venue.CURVE, address, _pack_sides(hop))
        case CurveCryptoPool(address=address):
            place = Place(Venue.CURVE, address, _pack_sides(hop) | _UNSIGNED_INDICES)
        case SolidlyPool(address=address):
            place = Place(Venue.SOLIDLY, address, 0)
        case Erc4626Pool(address=address):
            place = Place(Venue.VAULT, address, 0)
        case WrappedNativePool(address=router.wrapped_native):
            wraps = hop.token_in.address == ZERO_ADDRESS
            place = Place(Venue.WRAP if wraps else Venue.UNWRAP, router.wrapped_native, 0)
        case other:
            raise InputError(
                f"the router at {router.address} does not reach {other.key}",
                needed="pools of the PoolManager, the Vault and the wrapped coin it was built for",
                todo="Take these pools out of the search, or send through their own router",
            )
    return place


def _pack_sides(hop: Hop) -> int:
    side_in, side_out = find_sides(hop.pool, hop.token_in, hop.token_out)
    return side_in | side_out << 8
