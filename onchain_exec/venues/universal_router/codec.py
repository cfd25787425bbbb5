"""The commands of the Universal Router as values, to calldata and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from eth_abi import decode
from eth_abi.exceptions import DecodingError

from onchain_exec.core import Address, Exact, to_address
from onchain_exec.core.abi import Function
from onchain_exec.core.encoding import encode
from onchain_exec.errors import InputError
from onchain_exec.venues.permit2 import Permit
from onchain_exec.venues.swap_router.codec import decode_path, encode_path
from onchain_exec.venues.universal_router.v4_actions import V4Swap, decode_v4_swap, encode_v4_swap

CONTRACT_BALANCE: Final = 1 << 255
"""As amount: all the router holds of the token (``ActionConstants.CONTRACT_BALANCE``)."""

_EXECUTE: Final = Function("execute(bytes,bytes[],uint256)")
_V3, _V2 = {Exact.IN: 0x00, Exact.OUT: 0x01}, {Exact.IN: 0x08, Exact.OUT: 0x09}
_SWEEP, _PERMIT, _V4_SWAP = 0x04, 0x0A, 0x10
_EXACT: Final = {command: exact for table in (_V3, _V2) for exact, command in table.items()}

_V3_TYPES: Final = ("address", "uint256", "uint256", "bytes", "bool")
_V2_TYPES: Final = ("address", "uint256", "uint256", "address[]", "bool")
_SWEEP_TYPES: Final = ("address", "address", "uint256")
_PERMIT_TYPES: Final = ("((address,uint160,uint48,uint48),address,uint256)", "bytes")


@dataclass(frozen=True, slots=True)
class V2Swap:
    """One command through pairs. ``amount`` is what ``exact`` fixes, ``bound`` the other side's limit;
    the trader pays through Permit2, or the router from what it holds."""

    exact: Exact
    path: tuple[Address, ...]
    recipient: Address
    amount: int
    bound: int
    payer_is_user: bool


@dataclass(frozen=True, slots=True)
class V3Swap:
    """One command through v3 pools; ``fees`` in 1e-6, one between each two tokens of ``path``."""

    exact: Exact
    path: tuple[Address, ...]
    fees: tuple[int, ...]
    recipient: Address
    amount: int
    bound: int
    payer_is_user: bool


@dataclass(frozen=True, slots=True)
class Sweep:
    """All the router holds of a token (or, as the zero address, of the native currency), to the
    recipient, if it is at least ``amount_min``."""

    token: Address
    recipient: Address
    amount_min: int


@dataclass(frozen=True, slots=True)
class SignedPermit:
    """A permit handed to Permit2 on the way; ``signature`` is the trader's over its digest."""

    permit: Permit
    signature: bytes


Command: TypeAlias = V2Swap | V3Swap | V4Swap | Sweep | SignedPermit


@dataclass(frozen=True, slots=True)
class UniversalCall:
    """One ``execute``: its commands run in order, all or none, until ``deadline_at`` (unix seconds)."""

    deadline_at: int
    commands: tuple[Command, ...]


def encode_universal_call(call: UniversalCall) -> bytes:
    """Return the calldata of ``execute(commands, inputs, deadline)``."""
    encoded = [_encode_command(command) for command in call.commands]
    return _EXECUTE.encode(
        bytes(code for code, _ in encoded), [data for _, data in encoded], call.deadline_at
    )


def decode_universal_call(calldata: bytes) -> UniversalCall:
    """Return what `encode_universal_call` encoded.

    Raises:
        InputError: other calldata, or commands of other kinds.
    """
    codes, inputs, deadline_at = _EXECUTE.decode_arguments(calldata)
    if len(codes) != len(inputs):
        raise InputError(f"{len(codes)} commands with {len(inputs)} inputs", needed="one input each")
    try:
        commands = tuple(_decode_command(code, data) for code, data in zip(codes, inputs, strict=True))
    except (DecodingError, OverflowError) as error:
        raise InputError("an input does not hold the arguments of its command") from error
    return UniversalCall(deadline_at, commands)


def _encode_command(command: Command) -> tuple[int, bytes]:
    match command:
        case V2Swap(exact, path, recipient, amount, bound, payer_is_user):
            return _V2[exact], encode(_V2_TYPES, (recipient, amount, bound, path, payer_is_user))
        case V3Swap(exact, path, fees, recipient, amount, bound, payer_is_user):
            packed = encode_path(path, fees, exact)
            return _V3[exact], encode(_V3_TYPES, (recipient, amount, bound, packed, payer_is_user))
        case V4Swap():
            return _V4_SWAP, encode_v4_swap(command)
        case Sweep(token, recipient, amount_min):
            return _SWEEP, encode(_SWEEP_TYPES, (token, recipient, amount_min))
        case SignedPermit(permit, signature):
            # the router reads the permit as six words in place, then the signature's offset
            return _PERMIT, encode(_PERMIT_TYPES, (permit.to_tuple(), signature))


def _decode_command(code: int, data: bytes) -> Command:
    if code in _V3.values():
        recipient, amount, bound, packed, payer_is_user = decode(_V3_TYPES, data)
        path, fees = decode_path(packed, _EXACT[code])
        return V3Swap(_EXACT[code], path, fees, to_address(recipient), amount, bound, payer_is_user)
    if code in _V2.values():
        recipient, amount, bound, tokens, payer_is_user = decode(_V2_TYPES, data)
        path = tuple(to_address(token) for token in tokens)
        return V2Swap(_EXACT[code], path, to_address(recipient), amount, bound, payer_is_user)
    if code == _V4_SWAP:
        return decode_v4_swap(data)
    if code == _SWEEP:
        token, recipient, amount_min = decode(_SWEEP_TYPES, data)
        return Sweep(to_address(token), to_address(recipient), amount_min)
    if code == _PERMIT:
        (details, spender, deadline_at), signature = decode(_PERMIT_TYPES, data)
        token, amount, expires_at, nonce = details
        permit = Permit(to_address(token), amount, expires_at, nonce, to_address(spender), deadline_at)
        return SignedPermit(permit, signature)
    raise InputError(f"command 0x{code:02x}", needed="a swap, a sweep or a permit")
