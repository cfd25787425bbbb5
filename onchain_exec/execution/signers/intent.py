"""What bytes would do once they are signed, at the most: read from the calldata itself, believed of
nobody. What cannot be read is refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from onchain_exec.core import ZERO_ADDRESS, Address, Exact, to_address
from onchain_exec.core.abi import Function
from onchain_exec.errors import InputError, PolicyError
from onchain_exec.execution.signers.messages import has_known_types
from onchain_exec.execution.signers.transaction import UnsignedTx
from onchain_exec.venues.erc20 import APPROVE
from onchain_exec.venues.swap_router import RouterCall, Sweep, decode_router_call, encode_router_call

TRANSFER: Final = Function("transfer(address,uint256)", "(bool)")
MULTICALL_SELECTOR: Final = encode_router_call(RouterCall(0, ()))[:4]
"""``multicall(uint256,bytes[])`` of SwapRouter02."""
_ROUTER_ITSELF: Final = to_address("0x" + "2".rjust(40, "0"))
"""``Constants.ADDRESS_THIS`` of SwapRouter02, as a recipient."""
_ALL_IT_HOLDS: Final = 0
"""``Constants.CONTRACT_BALANCE`` of SwapRouter02, as amount_in."""


@dataclass(frozen=True, slots=True)
class Grant:
    """An allowance that would stand: ``spender`` may pull up to ``amount`` of ``token``."""

    token: Address
    spender: Address
    amount: int


@dataclass(frozen=True, slots=True)
class Intent:
    """The most that a transaction or message can do to its account.

    ``target`` and ``selector`` are what it calls (no selector: a plain transfer of native coin).
    ``spends`` is what may leave the account by token (the zero address is the native coin),
    ``receivers`` who gets what is bought or moved. ``is_bounded`` tells whether every swap in it has
    a minimum, and leaves nothing behind where anyone may take it.
    """

    target: Address
    selector: bytes
    spends: Mapping[Address, int] = field(default_factory=dict)
    receivers: frozenset[Address] = frozenset()
    grants: tuple[Grant, ...] = ()
    is_bounded: bool = True


def read_transaction(tx: UnsignedTx) -> Intent:
    """Return what ``tx`` would do; its gas at the highest fee is among what it spends.

    Raises:
        PolicyError: it lends the account's code, or its calldata cannot be read.
    """
    if tx.authorisations:
        raise PolicyError(
            "the transaction carries authorisations by which accounts lend themselves code (EIP-7702)",
            needed="a transaction without",
        )
    intent = read_call(tx.to, tx.value_wei, tx.data)
    wei = tx.value_wei + tx.gas_limit * tx.fees.max_fee_wei
    return replace(intent, spends={**intent.spends, ZERO_ADDRESS: wei})


def read_call(to: Address, value_wei: int, data: bytes) -> Intent:
    """Return what a call of the account with this calldata would do.

    Raises:
        PolicyError: the calldata cannot be read.
    """
    spends = {ZERO_ADDRESS: value_wei} if value_wei else {}
    if not data:
        return Intent(to, b"", spends, frozenset({to}) if value_wei else frozenset())
    reader = _READERS.get(data[:4])
    if reader is None:
        raise PolicyError(
            f"calldata of selector 0x{data[:4].hex()}, which the policy cannot read",
            needed="an approve, a transfer, or a multicall of SwapRouter02",
        )
    try:
        intent = reader(to, data)
    except InputError as error:
        raise PolicyError(f"calldata that the policy cannot read: {error}") from error
    return replace(intent, spends={**intent.spends, **spends})


def read_message(message: Mapping[str, Any]) -> Intent:
    """Return what an EIP-712 message, once signed, lets others do.

    Known are EIP-2612's ``Permit``, Permit2's ``PermitSingle``, and Safe's ``SafeTx``.

    Raises:
        PolicyError: another message, or one that is malformed.
    """
    kind = message.get("primaryType")
    try:
        if not has_known_types(message):
            raise _refuse_message(kind)
        verifier = to_address(message["domain"]["verifyingContract"])
        fields = message["message"]
        match kind:
            case "Permit":
                grant = Grant(verifier, to_address(fields["spender"]), int(fields["value"]))
                return Intent(verifier, APPROVE.selector, grants=(grant,))
            case "PermitSingle":
                details = fields["details"]
                token = to_address(details["token"])
                grant = Grant(token, to_address(fields["spender"]), int(details["amount"]))
                return Intent(token, APPROVE.selector, grants=(grant,))
            case "SafeTx" if int(fields["operation"]) == 0 and int(fields["gasPrice"]) == 0:
                data = bytes.fromhex(fields["data"].removeprefix("0x"))
                return read_call(to_address(fields["to"]), int(fields["value"]), data)
    except (KeyError, TypeError, ValueError, AttributeError, InputError) as error:
        raise _refuse_message(kind) from error
    raise _refuse_message(kind)


def _refuse_message(kind: object) -> PolicyError:
    return PolicyError(
        f"a message {kind!r} that the policy cannot read",
        needed="Permit, PermitSingle, or a SafeTx that is a plain call without refund",
    )


def _read_approve(token: Address, data: bytes) -> Intent:
    spender, amount = APPROVE.decode_arguments(data)
    return Intent(token, APPROVE.selector, grants=(Grant(token, to_address(spender), amount),))


def _read_transfer(token: Address, data: bytes) -> Intent:
    receiver, amount = TRANSFER.decode_arguments(data)
    return Intent(token, TRANSFER.selector, {token: amount}, frozenset({to_address(receiver)}))


def _read_swaps(router: Address, data: bytes) -> Intent:
    """Follow the tokens through the router: what is pulled, what it still holds, who is paid."""
    spends: Counter[Address] = Counter()
    held: set[Address] = set()
    receivers: set[Address] = set()
    is_bounded = True
    for step in decode_router_call(data).steps:
        if isinstance(step, Sweep):
            held.discard(step.token)
            receiver, least = step.recipient, step.amount_min
        else:
            exact_in = step.exact is Exact.IN
            if exact_in and step.amount == _ALL_IT_HOLDS:
                held.discard(step.path[0])
            else:
                spends[step.path[0]] += step.amount if exact_in else step.bound
            receiver, least = step.recipient, step.bound if exact_in else step.amount
            if receiver == _ROUTER_ITSELF:
                held.add(step.path[-1])
                continue
        receivers.add(receiver)
        is_bounded &= least > 0
    return Intent(
        router,
        MULTICALL_SELECTOR,
        spends=dict(spends),
        receivers=frozenset(receivers),
        is_bounded=is_bounded and not held,
    )


_READERS: Final[Mapping[bytes, Callable[[Address, bytes], Intent]]] = {
    APPROVE.selector: _read_approve,
    TRANSFER.selector: _read_transfer,
    MULTICALL_SELECTOR: _read_swaps,
}
