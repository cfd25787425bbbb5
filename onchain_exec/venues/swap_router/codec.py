"""The calls of SwapRouter02 as values, to calldata and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from onchain_exec.core import Address, Exact, address_bytes, to_address
from onchain_exec.core.abi import Function
from onchain_exec.errors import InputError

_MULTICALL: Final = Function("multicall(uint256,bytes[])", "(bytes[])")
_SWEEP: Final = Function("sweepToken(address,uint256,address)")
_SELF_PERMIT: Final = Function("selfPermitIfNecessary(address,uint256,uint256,uint8,bytes32,bytes32)")
_V2: Final = {
    Exact.IN: Function("swapExactTokensForTokens(uint256,uint256,address[],address)", "(uint256)"),
    Exact.OUT: Function("swapTokensForExactTokens(uint256,uint256,address[],address)", "(uint256)"),
}
_V3_ONE: Final = {
    Exact.IN: Function(
        "exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))", "(uint256)"
    ),
    Exact.OUT: Function(
        "exactOutputSingle((address,address,uint24,address,uint256,uint256,uint160))", "(uint256)"
    ),
}
_V3_PATH: Final = {
    Exact.IN: Function("exactInput((bytes,address,uint256,uint256))", "(uint256)"),
    Exact.OUT: Function("exactOutput((bytes,address,uint256,uint256))", "(uint256)"),
}
_EXACT_BY_SELECTOR: Final = {
    function.selector: (functions, exact)
    for functions in (_V2, _V3_ONE, _V3_PATH)
    for exact, function in functions.items()
}


@dataclass(frozen=True, slots=True)
class V2Swap:
    """One call through pairs. ``amount`` is what ``exact`` fixes, ``bound`` the other side's limit."""

    exact: Exact
    path: tuple[Address, ...]
    recipient: Address
    amount: int
    bound: int


@dataclass(frozen=True, slots=True)
class V3Swap:
    """One call through v3 pools; ``fees`` in 1e-6, one between each two tokens of ``path``."""

    exact: Exact
    path: tuple[Address, ...]
    fees: tuple[int, ...]
    recipient: Address
    amount: int
    bound: int


@dataclass(frozen=True, slots=True)
class Sweep:
    """All the router holds of a token, to the recipient, if it is at least ``amount_min``."""

    token: Address
    amount_min: int
    recipient: Address


@dataclass(frozen=True, slots=True)
class SelfPermit:
    """The caller's EIP-2612 permit for the router, handed to the token unless the router may pull
    ``amount`` already: it does not matter who hands it in first (``selfPermitIfNecessary``)."""

    token: Address
    amount: int
    deadline_at: int
    v: int
    r: int
    s: int


RouterStep: TypeAlias = V2Swap | V3Swap | Sweep | SelfPermit


@dataclass(frozen=True, slots=True)
class RouterCall:
    """A ``multicall``: its steps run in order, all or none, until ``deadline_at`` (unix seconds)."""

    deadline_at: int
    steps: tuple[RouterStep, ...]


def encode_router_call(call: RouterCall) -> bytes:
    """Return the calldata of ``multicall(deadline, calls)``."""
    return _MULTICALL.encode(call.deadline_at, [_encode_step(step) for step in call.steps])


def decode_router_call(calldata: bytes) -> RouterCall:
    """Return what `encode_router_call` encoded.

    Raises:
        InputError: other calldata, or a multicall with calls of other kinds.
    """
    deadline_at, calls = _MULTICALL.decode_arguments(calldata)
    return RouterCall(deadline_at, tuple(_decode_step(call) for call in calls))


def _encode_step(step: RouterStep) -> bytes:
    match step:
        case Sweep(token, amount_min, recipient):
            return _SWEEP.encode(token, amount_min, recipient)
        case SelfPermit(token, amount, deadline_at, v, r, s):
            return _SELF_PERMIT.encode(token, amount, deadline_at, v, r.to_bytes(32), s.to_bytes(32))
        case V2Swap(exact, path, recipient, amount, bound):
            return _V2[exact].encode(amount, bound, path, recipient)
        case V3Swap(exact, (token_in, token_out), (fee_pips,), recipient, amount, bound):
            no_limit = 0
            return _V3_ONE[exact].encode((token_in, token_out, fee_pips, recipient, amount, bound, no_limit))
        case V3Swap(exact, path, fees, recipient, amount, bound):
            return _V3_PATH[exact].encode((encode_path(path, fees, exact), recipient, amount, bound))


def _decode_step(calldata: bytes) -> RouterStep:
    selector = calldata[:4]
    if selector == _SWEEP.selector:
        token, amount_min, recipient = _SWEEP.decode_arguments(calldata)
        return Sweep(to_address(token), amount_min, to_address(recipient))
    if selector == _SELF_PERMIT.selector:
        token, amount, deadline_at, v, r, s = _SELF_PERMIT.decode_arguments(calldata)
        return SelfPermit(to_address(token), amount, deadline_at, v, int.from_bytes(r), int.from_bytes(s))
    if selector not in _EXACT_BY_SELECTOR:
        raise InputError(
            f"a call of selector 0x{selector.hex()}", needed="a swap, sweep or permit of SwapRouter02"
        )
    functions, exact = _EXACT_BY_SELECTOR[selector]
    arguments: tuple[Any, ...] = functions[exact].decode_arguments(calldata)
    if functions is _V2:
        amount, bound, path, recipient = arguments
        return V2Swap(exact, tuple(to_address(token) for token in path), to_address(recipient), amount, bound)
    if functions is _V3_ONE:
        token_in, token_out, fee_pips, recipient, amount, bound, _ = arguments[0]
        pair = to_address(token_in), to_address(token_out)
        return V3Swap(exact, pair, (fee_pips,), to_address(recipient), amount, bound)
    packed, recipient, amount, bound = arguments[0]
    path, fees = decode_path(packed, exact)
    return V3Swap(exact, path, fees, to_address(recipient), amount, bound)


def encode_path(path: tuple[Address, ...], fees: tuple[int, ...], exact: Exact) -> bytes:
    """Return tokens and fees packed as ``Path`` reads them: from the side that is fixed."""
    if exact is Exact.OUT:
        path, fees = path[::-1], fees[::-1]
    packed = address_bytes(path[0])
    for fee_pips, token in zip(fees, path[1:], strict=True):
        packed += fee_pips.to_bytes(3) + address_bytes(token)
    return packed


def decode_path(packed: bytes, exact: Exact) -> tuple[tuple[Address, ...], tuple[int, ...]]:
    hop = 23
    path = tuple(to_address(packed[start : start + 20]) for start in range(0, len(packed), hop))
    fees = tuple(int.from_bytes(packed[start - 3 : start]) for start in range(hop, len(packed), hop))
    return (path, fees) if exact is Exact.IN else (path[::-1], fees[::-1])
