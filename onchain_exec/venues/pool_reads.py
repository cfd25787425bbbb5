"""How each kind of pool is read: one table, one entry per kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, TypeAlias

from onchain_exec.core import ZERO_ADDRESS, Address, Reading, Token
from onchain_exec.errors import InputError
from onchain_exec.venues.balancer import read_balancer_pool
from onchain_exec.venues.curve import read_curve_pool
from onchain_exec.venues.erc20 import read_token
from onchain_exec.venues.pool import Pool
from onchain_exec.venues.pool_name import PoolName
from onchain_exec.venues.solidly import read_solidly_pool
from onchain_exec.venues.uniswap_v2 import UniswapV2Pool, read_v2_pool
from onchain_exec.venues.uniswap_v3 import PancakeV3Pool, SlipstreamPool, UniswapV3Pool, read_v3_pool
from onchain_exec.venues.uniswap_v4 import UniswapV4Pool, read_v4_pool
from onchain_exec.venues.vaults import WrappedNativePool, read_erc4626_pool, read_wrapped_native

Known: TypeAlias = Mapping[Address, Token]
"""Tokens that need not be read. The zero address names the native coin; it is taken for ether if absent."""


def _read_wrapped(address: Address, known: Known) -> Reading[WrappedNativePool]:
    wrapped = known.get(address) or (yield from read_token(address))
    native = known.get(ZERO_ADDRESS)
    return (yield from read_wrapped_native(wrapped, native.symbol if native else "ETH"))


_BY_ADDRESS: Final[Mapping[str, Callable[[Address, Known], Reading[Any]]]] = {
    "uniswap_v2": read_v2_pool,
    "uniswap_v3": partial(read_v3_pool, pool_type=UniswapV3Pool),
    "pancake_v3": partial(read_v3_pool, pool_type=PancakeV3Pool),
    "slipstream": partial(read_v3_pool, pool_type=SlipstreamPool),
    "balancer_weighted": read_balancer_pool,
    "balancer_stable": read_balancer_pool,
    "curve_stable": read_curve_pool,
    "curve_crypto": read_curve_pool,
    "solidly": read_solidly_pool,
    "erc4626": read_erc4626_pool,
    "wrapped_native": _read_wrapped,
}
"""Every kind that stands at an address of its own; a v4 pool is read by its key (`read_v4_pool`)."""


def read_pool(name: PoolName, known: Known | None = None) -> Reading[Pool]:
    """Read the pool that ``name`` tells, of any kind but v4.

    Raises:
        InputError: another contract stands there, or a pool of another kind. Of its tokens, see
            `erc20.read_token`.
        StateError: as the kind's own reader.
    """
    if name.fee_pips is not None:
        return (yield from read_v2_pool(name.address, known, name.fee_pips))
    if name.kind not in _BY_ADDRESS:
        raise InputError(f"{name} has no address of its own", needed=f"one of {', '.join(_BY_ADDRESS)}")
    pool: Pool = yield from _BY_ADDRESS[name.kind](name.address, known or {})
    if pool.kind != name.kind:
        raise InputError(f"{name} is of kind {pool.kind}", todo=f"Name it {pool.key}")
    return pool


def read_pool_again(pool: Pool) -> Reading[Pool]:
    """Read a pool that was read before, at another block; its tokens are not asked again.

    Raises:
        InputError, StateError: as the kind's own reader.
    """
    known = {token.address: token for token in pool.tokens}
    if isinstance(pool, UniswapV4Pool):
        return read_v4_pool(pool.address, pool.pool_key, known)
    if isinstance(pool, UniswapV3Pool):
        return read_v3_pool(pool.address, known, pool.curve.ticks.spacing, type(pool))
    if isinstance(pool, UniswapV2Pool):
        return read_v2_pool(pool.address, known, pool.swap_fee_pips)
    return _BY_ADDRESS[pool.kind](pool.address, known)
