"""How each venue's accounts are read on a known chain: one table, one entry per venue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pkgutil import resolve_name
from typing import Any, Final

from onchain_exec.app.configuration.registry import ChainProfile
from onchain_exec.app.path.context import Context
from onchain_exec.core import Address, BlockRef, to_address
from onchain_exec.errors import ConfigError, InputError
from onchain_exec.venues.collateral import CollateralAccount


async def read_position(
    context: Context, venue: str, owner: Address, block: BlockRef, named: Iterable[Address] = ()
) -> CollateralAccount[Any]:
    """Return the one account of ``owner`` at ``venue``; see `read_positions`.

    Raises:
        InputError: there are none, or several: name one by its key.
    """
    found = await read_positions(context, venue, owner, block, named)
    if len(found) != 1:
        raise InputError(
            f"{len(found) or 'no'} accounts of {owner} at {venue}",
            needed="one, by its key",
            todo=f"Name one of {', '.join(account.key for account in found)}" if found else "",
        )
    return found[0]


async def read_positions(
    context: Context, venue: str, owner: Address, block: BlockRef, named: Iterable[Address] = ()
) -> tuple[CollateralAccount[Any], ...]:
    """Return the accounts of ``owner`` at ``venue``, with the tokens and markets that are ``named`` besides
    those they are in. ``venue`` is a kind that the chain lists, ``KIND:ADDRESS``, or an account's key.

    Raises:
        InputError: no such kind, or what is named is not traded there.
        ConfigError: the chain's profile does not list the venue.
    """
    kind, _, place = venue.partition(":")
    if kind == _LYRA:
        read = resolve_name(_READ_SHORTS)
        shorts = await context.node.perform(read(context.profile, owner), block)
        return tuple(short for short in shorts if not place or short.key == venue)
    if kind not in _READERS:
        raise InputError(f"no venue {venue!r}", needed=f"one of {', '.join(VENUES)}")
    role, name = _READERS[kind]
    contract = to_address(place) if place else context.profile.get_contract(kind, role)
    if contract is None:
        raise ConfigError(
            f"the chain {context.profile.name} lists no {kind}",
            needed=f"its {role}",
            todo=f"Name it: {kind}:ADDRESS",
        )
    read = resolve_name(name)
    return (await context.node.perform(read(contract, owner, named), block),)


def list_venues(profile: ChainProfile) -> tuple[str, ...]:
    """Return the venues with accounts that the chain lists."""
    listed = [venue for venue, (role, _) in _READERS.items() if profile.get_contract(venue, role)]
    return (*listed, *((_LYRA,) if profile.get_contract(_LYRA, "market") else ()))


_LYRA: Final = "lyra"
_READ_SHORTS: Final = "onchain_exec.app.positions.lyra:read_shorts"
_READERS: Final[Mapping[str, tuple[str, str]]] = {
    "aave_v3": ("pool", "onchain_exec.venues.lending.aave_v3:read_aave_account"),
    "perp_v1": ("clearing_house", "onchain_exec.venues.perpetuals.perp_v1.account:read_perp_v1_account"),
    "perp_v2": ("clearing_house", "onchain_exec.venues.perpetuals.perp_v2.account:read_perp_v2_account"),
    "synthetix_v3": (
        "perps_market",
        "onchain_exec.venues.perpetuals.synthetix_v3.account:read_synthetix_v3_account",
    ),
}
"""By venue, the role of its contract in a chain's profile, and how an account is read from it: by name, since
the mirrors of all venues are a seventh of what a desk would load. Of Lyra each short is an account of its
own."""
VENUES: Final = (*_READERS, _LYRA)
"""All where an account may have collateral."""
