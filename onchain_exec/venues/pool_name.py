"""What a person calls a pool: its kind and where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from onchain_exec.core import Address, to_address
from onchain_exec.core.fixed_point import PIPS
from onchain_exec.errors import InputError
from onchain_exec.venues.pool_file import POOL_KINDS

_V4: Final = "uniswap_v4"
_V2: Final = "uniswap_v2"


@dataclass(frozen=True, slots=True)
class PoolName:
    """A pool by kind and address, a v4 pool by the 32 bytes of its id, as `Pool.key` writes them.

    ``fee_pips`` is the fee of a v2 pair, which no contract tells; None is Uniswap's own.
    """

    kind: str
    place: bytes
    fee_pips: int | None = None

    @property
    def address(self) -> Address:
        """Where it stands, unless it is a v4 pool."""
        return to_address(self.place)

    @property
    def pool_id(self) -> bytes | None:
        """A v4 pool's id; None for all others."""
        return self.place if self.kind == _V4 else None

    def __str__(self) -> str:
        return f"{self.kind}:{'0x' + self.place.hex() if self.kind == _V4 else self.address}"


def parse_pool_name(text: str) -> PoolName:
    """Return the pool that ``KIND:ADDRESS``, ``uniswap_v4:ID`` or ``uniswap_v2:ADDRESS:FEE_PIPS`` names.

    Raises:
        InputError: not of this form, or a kind that is not known.
        AddressError: not an address, or one with a wrong checksum.
    """
    kind, _, rest = text.partition(":")
    place, _, fee = rest.partition(":")
    if kind not in POOL_KINDS:
        raise InputError(
            f"{text!r} names no pool", needed=f"KIND:ADDRESS, KIND one of {', '.join(POOL_KINDS)}"
        )
    if fee and (kind != _V2 or not (fee.isascii() and fee.isdigit() and int(fee) < PIPS)):
        raise InputError(
            f"{text!r} names no pool", needed="a fee in 1e-6 after the address of a uniswap_v2 pair"
        )
    fee_pips = int(fee) if fee else None
    if kind == _V4:
        return PoolName(kind, _parse_id(place))
    return PoolName(kind, bytes.fromhex(to_address(place)[2:]), fee_pips)


def _parse_id(text: str) -> bytes:
    try:
        pool_id = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        pool_id = b""
    if len(pool_id) != 32:
        raise InputError(f"{text!r} is no v4 pool", needed="the 32 bytes of its id as 0x and 64 hex digits")
    return pool_id
