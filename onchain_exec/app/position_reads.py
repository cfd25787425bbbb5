"""How each venue's accounts are read on a known chain: one table, one entry per venue."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from onchain_exec.app.context import Context
from onchain_exec.app.registry import ChainProfile
from onchain_exec.core import Address, BlockRef, Reading, to_address
from onchain_exec.errors import ConfigError, InputError
from onchain_exec.venues.collateral import CollateralAccount
from onchain_exec.venues.lending.aave_v3 import read_aave_account
from onchain_exec.venues.perpetuals.perp_v1.account import read_perp_v1_account
from onchain_exec.venues.perpetuals.perp_v2.account import read_perp_v2_account


async def read_position(
    context: Context, venue: str, owner: Address, block: BlockRef, named: Iterable[Address] = ()
) -> CollateralAccount[Any]:
    """Return the account of ``owner`` at ``venue``, with the tokens and markets that are ``named`` besides
    those it is in. ``venue`` is a kind that the chain lists, or ``KIND:ADDRESS``.

    Raises:
        InputError: no such kind, or what is named is not traded there.
        ConfigError: the chain's profile does not list the venue.
    """
    kind, _, address = venue.partition(":")
    if kind not in _READERS:
        raise InputError(f"no venue {venue!r}", needed=f"one of {', '.join(_READERS)}")
    role, read = _READERS[kind]
    contract = to_address(address) if address else context.profile.get_contract(kind, role)
    if contract is None:
        raise ConfigError(
            f"the chain {context.profile.name} lists no {kind}",
            needed=f"its {role}",
            todo=f"Name it: {kind}:ADDRESS",
        )
    return await context.node.perform(read(contract, owner, named), block)


def list_venues(profile: ChainProfile) -> tuple[str, ...]:
    """Return the venues with accounts that the chain lists."""
    return tuple(venue for venue, (role, _) in _READERS.items() if profile.get_contract(venue, role))


_Reader = Callable[[Address, Address, Iterable[Address]], Reading[Any]]
_READERS: Final[Mapping[str, tuple[str, _Reader]]] = {
    "aave_v3": ("pool", read_aave_account),
    "perp_v1": ("clearing_house", read_perp_v1_account),
    "perp_v2": ("clearing_house", read_perp_v2_account),
}
"""By venue, the role of its contract in a chain's profile, and how an account is read from it."""
