"""The Universal Router's v4 command: a row of single swaps between one settlement and one take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from eth_abi import decode

from onchain_exec.core import Address, Exact, to_address
from onchain_exec.core.encoding import encode
from onchain_exec.core.fixed_point import MAX_UINT128
from onchain_exec.errors import InputError
from onchain_exec.venues.uniswap_v4.key import KEY_TYPE, PoolKey

_SWAP: Final = {Exact.IN: 0x06, Exact.OUT: 0x08}
_SETTLE, _TAKE = 0x0B, 0x0E
_OPEN_DELTA: Final = 0
"""As amount: all that is owed, or due (``ActionConstants.OPEN_DELTA``)."""
_CONTRACT_BALANCE: Final = 1 << 255

_COMMAND_TYPES: Final = ("bytes", "bytes[]")
_SWAP_TYPES: Final = (f"({KEY_TYPE},bool,uint128,uint128,bytes)",)
_SETTLE_TYPES: Final = ("address", "uint256", "bool")
_TAKE_TYPES: Final = ("address", "address", "uint256")


@dataclass(frozen=True, slots=True)
class V4Hop:
    """A pool, and whether its currency 0 is sold."""

    key: PoolKey
    down: bool

    @property
    def currency_in(self) -> Address:
        """What the hop takes."""
        return self.key.currency0 if self.down else self.key.currency1

    @property
    def currency_out(self) -> Address:
        """What the hop gives."""
        return self.key.currency1 if self.down else self.key.currency0


@dataclass(frozen=True, slots=True)
class V4Swap:
    """One command through v4 pools. ``amount`` is what ``exact`` fixes, ``bound`` the other side's limit.

    ``amount`` None (exact input only) is all that the router holds of the first currency. Else the
    trader pays through Permit2, or the router from what it holds.
    """

    exact: Exact
    hops: tuple[V4Hop, ...]
    recipient: Address
    amount: int | None
    bound: int
    payer_is_user: bool


def encode_v4_swap(swap: V4Swap) -> bytes:
    """Return the input of the command: the actions, and the parameters of each."""
    first, last = swap.hops[0], swap.hops[-1]
    whole_balance = swap.amount is None
    settled = _CONTRACT_BALANCE if whole_balance else _OPEN_DELTA
    settle = encode(_SETTLE_TYPES, (first.currency_in, settled, swap.payer_is_user))
    take = encode(_TAKE_TYPES, (last.currency_out, swap.recipient, _OPEN_DELTA))
    swaps = _encode_swaps(swap)
    code = _SWAP[swap.exact]
    if whole_balance:
        actions, parameters = [_SETTLE, *[code] * len(swaps), _TAKE], [settle, *swaps, take]
    else:
        actions, parameters = [*[code] * len(swaps), _SETTLE, _TAKE], [*swaps, settle, take]
    return encode(_COMMAND_TYPES, (bytes(actions), parameters))


def decode_v4_swap(data: bytes) -> V4Swap:
    """Return what `encode_v4_swap` encoded.

    Raises:
        InputError: another row of actions.
    """
    actions, parameters = decode(_COMMAND_TYPES, data)
    whole_balance = actions[:1] == bytes([_SETTLE])
    swaps = parameters[1:-1] if whole_balance else parameters[:-2]
    code = next((code for code in _SWAP.values() if code in actions), _SWAP[Exact.IN])
    settle_first, settle_last = [_SETTLE] * whole_balance, [_SETTLE] * (not whole_balance)
    if not swaps or actions != bytes([*settle_first, *[code] * len(swaps), *settle_last, _TAKE]):
        raise InputError(f"v4 actions 0x{actions.hex()}", needed="swaps of one kind, one settle, one take")
    exact = Exact.IN if code == _SWAP[Exact.IN] else Exact.OUT
    rows = [_decode_swap(row) for row in swaps]
    rows = rows if exact is Exact.IN else rows[::-1]
    fixed, bounded = (rows[0], rows[-1]) if exact is Exact.IN else (rows[-1], rows[0])
    _, _, payer_is_user = decode(_SETTLE_TYPES, parameters[0] if whole_balance else parameters[-2])
    recipient = to_address(decode(_TAKE_TYPES, parameters[-1])[1])
    amount = None if whole_balance else fixed[1]
    return V4Swap(exact, tuple(row[0] for row in rows), recipient, amount, bounded[2], payer_is_user)


def _encode_swaps(swap: V4Swap) -> list[bytes]:
    """Each swap but the first takes (gives) what the one before left due (owed)."""
    exact_in = swap.exact is Exact.IN
    hops = swap.hops if exact_in else swap.hops[::-1]
    end = len(hops) - 1
    return [
        encode(
            _SWAP_TYPES,
            (
                (
                    hop.key.to_tuple(),
                    hop.down,
                    _OPEN_DELTA if index or swap.amount is None else swap.amount,
                    swap.bound if index == end else (0 if exact_in else MAX_UINT128),
                    b"",
                ),
            ),
        )
        for index, hop in enumerate(hops)
    ]


def _decode_swap(data: bytes) -> tuple[V4Hop, int, int]:
    row: tuple[Any, ...] = decode(_SWAP_TYPES, data)[0]
    (currency0, currency1, fee, spacing, hooks), down, amount, bound, _ = row
    key = PoolKey(to_address(currency0), to_address(currency1), fee, spacing, to_address(hooks))
    return V4Hop(key, down), amount, bound
