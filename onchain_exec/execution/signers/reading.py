"""What is about to be signed, read from the bytes themselves, believed of nobody. What cannot be read
is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from onchain_exec.clearing.settle.contract import CANCEL, SETTLE
from onchain_exec.core import ZERO_ADDRESS, Address, to_address
from onchain_exec.core.abi import Function
from onchain_exec.errors import InputError, PolicyError
from onchain_exec.execution.signers.intent import Allowance, Intent
from onchain_exec.execution.signers.messages import has_known_types
from onchain_exec.execution.signers.swaps import (
    EXECUTE_SELECTOR,
    MULTICALL_SELECTOR,
    SWAP_SELECTOR,
    SWAP_WITH_PERMIT_SELECTOR,
    read_router,
    read_swap_router,
    read_universal_router,
)
from onchain_exec.execution.signers.transaction import UnsignedTx
from onchain_exec.venues.erc20 import APPROVE
from onchain_exec.venues.permit2 import PERMIT2

TRANSFER: Final = Function("transfer(address,uint256)", "(bool)")


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
            needed="an approve, a transfer, a swap of a router we know, or the cancelling of a lane",
        )
    try:
        intent = reader(to, data)
    except InputError as error:
        raise PolicyError(f"calldata that the policy cannot read: {error}") from error
    return replace(intent, spends={**intent.spends, **spends})


def read_message(message: Mapping[str, Any]) -> Intent:
    """Return what an EIP-712 message, once signed, lets others do.

    Known are EIP-2612's ``Permit``, Permit2's ``PermitSingle``, a swap of our Router's by permit
    (``PermitWitnessTransferFrom``: whoever has it may bring it, so that it counts as spent), an ``Order`` of
    our Settle contract (which counts likewise) and its ``Withdrawal``, and Safe's ``SafeTx``.

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
                allowance = Allowance(verifier, to_address(fields["spender"]), int(fields["value"]))
                return Intent(verifier, APPROVE.selector, allowances=(allowance,))
            case "PermitSingle":
                details = fields["details"]
                token = to_address(details["token"])
                allowance = Allowance(token, to_address(fields["spender"]), int(details["amount"]))
                return Intent(token, APPROVE.selector, allowances=(allowance,))
            case "PermitWitnessTransferFrom" if verifier == PERMIT2:
                return _read_witness(fields)
            case "Order":
                return _read_order(verifier, fields)
            case "Withdrawal":
                return Intent(verifier, CANCEL.selector)
            case "SafeTx" if int(fields["operation"]) == 0 and int(fields["gasPrice"]) == 0:
                data = bytes.fromhex(fields["data"].removeprefix("0x"))
                return read_call(to_address(fields["to"]), int(fields["value"]), data)
    except (KeyError, TypeError, ValueError, AttributeError, InputError) as error:
        raise _refuse_message(kind) from error
    raise _refuse_message(kind)


def _refuse_message(kind: object) -> PolicyError:
    return PolicyError(
        f"a message {kind!r} that the policy cannot read",
        needed="a permit of a token, of Permit2 or of our Router, an order of Settle, or a SafeTx that is a"
        " plain call",
    )


def _read_approve(token: Address, data: bytes) -> Intent:
    spender, amount = APPROVE.decode_arguments(data)
    return Intent(token, APPROVE.selector, allowances=(Allowance(token, to_address(spender), amount),))


def _read_transfer(token: Address, data: bytes) -> Intent:
    receiver, amount = TRANSFER.decode_arguments(data)
    return Intent(token, TRANSFER.selector, {token: amount}, frozenset({to_address(receiver)}))


def _read_witness(fields: Mapping[str, Any]) -> Intent:
    permitted, witness = fields["permitted"], fields["witness"]
    return Intent(
        to_address(fields["spender"]),
        SWAP_WITH_PERMIT_SELECTOR,
        spends={to_address(permitted["token"]): int(permitted["amount"])},
        receivers=frozenset({to_address(witness["recipient"])}),
        is_bounded=int(witness["amountOutMin"]) > 0,
    )


def _read_order(contract: Address, fields: Mapping[str, Any]) -> Intent:
    receiver = to_address(fields["receiver"])
    return Intent(
        contract,
        SETTLE.selector,
        spends={to_address(fields["tokenIn"]): int(fields["amountIn"])},
        receivers=frozenset({to_address(fields["owner"]) if receiver == ZERO_ADDRESS else receiver}),
        is_bounded=int(fields["amountOut"]) > 0,
    )


def _read_cancel(contract: Address, data: bytes) -> Intent:
    CANCEL.decode_arguments(data)
    return Intent(contract, CANCEL.selector)


_READERS: Final[Mapping[bytes, Callable[[Address, bytes], Intent]]] = {
    APPROVE.selector: _read_approve,
    TRANSFER.selector: _read_transfer,
    CANCEL.selector: _read_cancel,
    MULTICALL_SELECTOR: read_swap_router,
    EXECUTE_SELECTOR: read_universal_router,
    SWAP_SELECTOR: read_router,
    SWAP_WITH_PERMIT_SELECTOR: read_router,
}
