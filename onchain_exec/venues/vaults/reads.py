"""Reads of vaults and of the wrapped coin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from onchain_exec.core import ZERO_ADDRESS, Address, Call, Reading, Token, to_address
from onchain_exec.core.abi import Function
from onchain_exec.core.fixed_point import div_up
from onchain_exec.errors import NoPoolError, PoolRevertError, TokenRefusedError
from onchain_exec.venues.answer import decode_answer
from onchain_exec.venues.erc20 import read_tokens
from onchain_exec.venues.vaults.erc4626 import Erc4626Pool
from onchain_exec.venues.vaults.wrapped_native import WrappedNativePool

_ASSET: Final = Function("asset()", "(address)")
_TOTAL_ASSETS: Final = Function("totalAssets()", "(uint256)")
_TOTAL_SUPPLY: Final = Function("totalSupply()", "(uint256)")
_PREVIEWS: Final = tuple(
    Function(f"preview{verb}(uint256)", "(uint256)") for verb in ("Deposit", "Redeem", "Mint", "Withdraw")
)


def read_erc4626_pool(address: Address, known: Mapping[Address, Token] | None = None) -> Reading[Erc4626Pool]:
    """Read a vault and find out how it rounds; ``known`` tokens are taken as they are.

    The vault's own previews of amounts of several scales decide between OpenZeppelin's arithmetic (its
    offset is the difference of the decimals) and the plain ratio.

    Raises:
        InputError: no vault stands at the address.
        TokenRefusedError: it answers its previews otherwise: it takes fees, or prices by other means.
    """
    functions = (_ASSET, _TOTAL_ASSETS, _TOTAL_SUPPLY)
    snapshot = yield tuple(Call(address, function.encode()) for function in functions)
    (asset_address,), (total_assets,), (total_supply,) = (
        decode_answer(function, address, answer)
        for function, answer in zip(functions, snapshot.answers, strict=True)
    )
    asset, share = yield from read_tokens((to_address(asset_address), address), known)
    probes = tuple(10**share.decimals * scale // 7 for scale in (1, 1_000, 10**6))
    snapshot = yield tuple(Call(address, preview.encode(probe)) for preview in _PREVIEWS for probe in probes)
    answers = [int.from_bytes(answer.data, "big") if answer.success else None for answer in snapshot.answers]
    offset = max(share.decimals - asset.decimals, 0)
    for virtual_assets, virtual_shares in ((1, 10**offset), (0, 0)):
        pool = Erc4626Pool(asset, share, total_assets, total_supply, virtual_assets, virtual_shares)
        if answers == _preview(pool, probes):
            return pool
    raise TokenRefusedError(
        f"the vault {share} at {address} previews other amounts than its assets and supply give",
        needed="a vault without fees, whose shares are supply over assets",
        todo="Trade its shares in a pool instead",
    )


def read_wrapped_native(wrapped: Token, native_symbol: str) -> Reading[WrappedNativePool]:
    """Read what a wrapped coin holds: its supply, which it holds one to one.

    Raises:
        InputError: no such contract stands at the address.
        NoPoolError: the token has not the coin's 18 decimals, so it is not wrapped one to one.
    """
    if wrapped.decimals != 18:
        raise NoPoolError(f"{wrapped} has {wrapped.decimals} decimals", needed="the coin's 18")
    snapshot = yield (Call(wrapped.address, _TOTAL_SUPPLY.encode()),)
    (held,) = decode_answer(_TOTAL_SUPPLY, wrapped.address, snapshot.answers[0])
    native = Token(snapshot.block.chain_id, ZERO_ADDRESS, native_symbol, 18)
    return WrappedNativePool(native, wrapped, held)


def _preview(pool: Erc4626Pool, probes: tuple[int, ...]) -> list[int]:
    """Return what the vault should preview of ``probes``, in the order of `_PREVIEWS`."""
    try:
        shares, assets = pool.ratio
    except PoolRevertError:
        return []
    deposits = [probe * shares // assets for probe in probes]
    redemptions = [probe * assets // shares for probe in probes]
    mints = [div_up(probe * assets, shares) for probe in probes]
    return deposits + redemptions + mints + [div_up(probe * shares, assets) for probe in probes]
