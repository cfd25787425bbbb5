"""Every error this package raises.

OnchainExecError
├── InputError                 what the caller gave cannot be used; nothing was read, signed or sent
│   ├── NoArbitrageError       no model gives this price, or these parameters
│   ├── AmountError            not an amount: a float, too many decimals, negative, zero, beyond uint256
│   ├── AddressError           not an address, or a wrong checksum
│   ├── UnknownTokenError      neither a known symbol nor an address with a token behind it
│   ├── ConfigError            a setting is missing, malformed or contradicts another
│   ├── UnknownOrderError      no order has that id
│   ├── DuplicateOrderError    the client order id is taken by an order with other terms
│   ├── UnsupportedOrderError  the venue, or what is held, cannot have an order of this kind
│   └── OrderRefusedError      a signed order cannot rest in the book, or is no answer to the request
├── StateError                 the view of the chain does not support the decision
│   ├── FinalityError          a block that was final is no longer on the chain
│   ├── StaleStateError        made at another block, or older than the policy allows
│   ├── NoPoolError            no pool trades the pair
│   ├── NoRouteError           pools exist, none can fill the amount
│   ├── PoolRefusedError       the pool's own code (a hook) may change amounts in ways no quote can tell
│   ├── WrongCodeError         another contract stands where one of ours belongs
│   └── TokenRefusedError      the token moves other amounts than asked, or lies about itself
├── PoolRevertError            the pool's contract would revert on this input (the mirror of the revert)
│   └── PartialFillError       the pool holds less than the amount: it would revert, or stop short of it
├── SettleRevertError          the Settle contract would revert on this (the mirror of the revert)
├── NodeError                  a node or relay failed
│   ├── NodeUnreachableError   no connection, no answer in time, or an answer that is not JSON-RPC
│   ├── NodeRefusedError       the node answered with a JSON-RPC error
│   ├── RateLimitedError       the node asks to slow down
│   ├── WrongChainError        the node serves another chain
│   ├── BlockNotFoundError     the pinned block is not (or no longer) known to the node
│   └── NodesDisagreeError     too few of several endpoints say the same
├── OrderBookError             a book of signed orders gave no usable answer: it may have the order
├── RevertError                the EVM reverted: the decoded reason
├── GasError                   no gas limit satisfies the transaction
├── EffectError                the simulated effects differ from what was asked
├── SignerError                the signer refused, failed, or returned a signature that is not ours
│   └── PolicyError            the policy inside the signing boundary forbids it
├── HaltedError                a pause or the kill switch forbids it
├── StoppedError               somebody stopped the command before it was done
├── JournalError               the journal cannot be read or written, or contradicts itself
│   ├── IllegalTransitionError an order or slot met an event that its state does not allow
│   ├── OvertakenError         another process signed or ended the order meanwhile: the journal has it
│   └── FencedError            another process writes the account, or took it over: nothing may be sent
└── MissingToolError           a program or package that is needed is not installed
    └── TamperedPackageError   a downloaded package is not the one that was pinned
"""

from __future__ import annotations

from typing import ClassVar


class OnchainExecError(Exception):
    """Root of the tree.

    Every error says what was ``found``, what was ``needed`` and what to do (``todo``); each may be
    empty where it would only repeat another. ``retryable`` tells whether the same call can succeed
    later without a change by the caller.
    """

    retryable: ClassVar[bool] = False

    def __init__(self, found: str, *, needed: str = "", todo: str = "") -> None:
        self.found, self.needed, self.todo = found, needed, todo
        super().__init__(found)

    def __str__(self) -> str:
        return explain(self.found, self.needed, self.todo)

    @property
    def code(self) -> str:
        """Stable name of the error for machines: the class name."""
        return type(self).__name__


def explain(found: str, needed: str, todo: str) -> str:
    """Return what was found, what was needed and what to do as one text; what is empty is left out."""
    return found + (f"; needed: {needed}" if needed else "") + (f". {todo}" if todo else "")


class InputError(OnchainExecError):
    """What the caller gave cannot be used; nothing was read, signed or sent."""


class NoArbitrageError(InputError):
    """A price, or a surface's parameters, that would be an arbitrage: no model gives it."""


class AmountError(InputError):
    """Not an amount: a float, too many decimals, negative, zero, or beyond uint256."""


class AddressError(InputError):
    """Not an address, or a mixed-case address whose EIP-55 checksum is wrong."""


class UnknownTokenError(InputError):
    """Neither a known symbol nor an address with a token behind it."""


class ConfigError(InputError):
    """A setting is missing, malformed or contradicts another."""


class UnknownOrderError(InputError):
    """No order has that id, client order id or transaction hash."""


class DuplicateOrderError(InputError):
    """The client order id is taken by an order with other terms."""


class UnsupportedOrderError(InputError):
    """The venue, or what is held, cannot have an order of this kind."""


class OrderRefusedError(InputError):
    """A signed order cannot rest in the book, or is no answer to the request. ``reason`` names the rule."""

    def __init__(self, reason: str, found: str, *, needed: str = "", todo: str = "") -> None:
        self.reason = reason
        super().__init__(found, needed=needed, todo=todo)


class StateError(OnchainExecError):
    """The view of the chain does not support the decision."""


class FinalityError(StateError):
    """A block that was final is no longer on the chain: what was settled is open, and nothing is sure."""


class StaleStateError(StateError):
    """A value was made at another block than the decision's, or is older than the policy allows."""


class NoPoolError(StateError):
    """No pool trades the pair."""


class NoRouteError(StateError):
    """Pools exist, but none can fill the amount."""


class PoolRefusedError(StateError):
    """The pool's own code, such as a hook, may change amounts in ways that no quote can tell."""


class WrongCodeError(StateError):
    """Another contract stands where one of ours, or one that it is deployed through, belongs."""


class TokenRefusedError(StateError):
    """The token moves other amounts than asked (fee, rebase, pause) or lies about itself."""


class PoolRevertError(OnchainExecError):
    """The pool's contract would revert on this input.

    ``reason`` is the contract's own revert string or custom error name (for example ``SPL``), so
    that a differential test can compare it.
    """

    def __init__(self, reason: str, *, found: str = "", needed: str = "", todo: str = "") -> None:
        self.reason = reason
        super().__init__(found or f"the pool would revert with {reason}", needed=needed, todo=todo)


class PartialFillError(PoolRevertError):
    """The pool's liquidity ends before the amount does.

    ``amount_in`` and ``amount_out`` are the most it can trade in this direction, in base units. Some
    contracts revert here and some take less than asked; we never pass the part off as the whole.
    """

    def __init__(self, asked: str, amount_in: int, amount_out: int) -> None:
        self.amount_in, self.amount_out = amount_in, amount_out
        super().__init__(
            "PARTIAL_FILL",
            found=f"{asked} asked, the pool's liquidity ends at {amount_in} in for {amount_out} out",
            todo="Ask for less, or split the order over more pools",
        )


class SettleRevertError(OnchainExecError):
    """The Settle contract would revert. ``reason`` is the name of its custom error."""

    def __init__(self, reason: str, found: str, needed: str) -> None:
        self.reason = reason
        super().__init__(f"{reason}: {found}", needed=needed)


class NodeError(OnchainExecError):
    """A node or relay failed."""


class NodeUnreachableError(NodeError):
    """No connection, no answer in time, or an answer that is not JSON-RPC.

    For a send this is AMBIGUOUS: the node may have taken the transaction.
    """

    retryable = True


class NodeRefusedError(NodeError):
    """The node answered with a JSON-RPC error object."""

    def __init__(
        self, method: str, rpc_code: int, message: str, data: object = None, *, todo: str = ""
    ) -> None:
        self.method, self.rpc_code, self.rpc_message, self.rpc_data = method, rpc_code, message, data
        super().__init__(f"{method} was refused: {message} (code {rpc_code})", todo=todo)


class RateLimitedError(NodeError):
    """The node asks to slow down; ``retry_after_s`` is its own wish, or None."""

    retryable = True

    def __init__(self, found: str, *, retry_after_s: float | None = None) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(found, todo="Wait, or add another endpoint")


class WrongChainError(NodeError):
    """The node serves another chain than the one asked for."""

    def __init__(self, found_chain_id: int, needed_chain_id: int, where: str) -> None:
        self.found_chain_id, self.needed_chain_id = found_chain_id, needed_chain_id
        super().__init__(
            f"{where} serves chain {found_chain_id}",
            needed=f"chain {needed_chain_id}",
            todo="Check the URL and the chain setting; nothing was signed",
        )


class BlockNotFoundError(NodeError):
    """The pinned block is not (or no longer) known to the node: it lags, or a reorg dropped it."""

    retryable = True


class NodesDisagreeError(NodeError):
    """Too few of several endpoints say the same. ``said`` is who said what: host and words."""

    retryable = True

    def __init__(self, said: tuple[tuple[str, str], ...], needed: str) -> None:
        self.said = said
        told = ", ".join(f"{where} says {words}" for where, words in said)
        super().__init__(
            told or "no endpoint answers", needed=needed, todo="Ask again later, or add another endpoint"
        )


class OrderBookError(OnchainExecError):
    """A book of signed orders gave no usable answer: it may show an order all the same."""

    retryable = True


class RevertError(OnchainExecError):
    """The EVM reverted.

    ``name`` and ``arguments`` are the decoded custom error, ``Error`` with its string, or ``Panic``
    with its code; ``name`` is empty when the data matches no known ABI. ``data`` is raw.
    """

    def __init__(self, name: str, arguments: tuple[object, ...], data: bytes, *, hint: str = "") -> None:
        self.name, self.arguments, self.data = name, arguments, data
        if name:
            shown = f"{name}({', '.join(str(a) for a in arguments)})"
        else:
            shown = f"unknown error 0x{data.hex()}" if data else "no reason given"
        super().__init__(f"the call reverts: {shown}", todo=hint)


class GasError(OnchainExecError):
    """No gas limit satisfies the transaction: it needs more than the chain or the budget allows."""


class EffectError(OnchainExecError):
    """The simulated effects differ from what was asked."""


class SignerError(OnchainExecError):
    """The signer refused, failed, or returned a signature that is not ours."""


class PolicyError(SignerError):
    """The policy inside the signing boundary forbids the transaction."""


class HaltedError(OnchainExecError):
    """A pause or the kill switch forbids it: nothing was signed or sent."""

    retryable = True


class StoppedError(OnchainExecError):
    """Somebody stopped the command before it was done: what it signed is in the journal, and may be mined."""


class JournalError(OnchainExecError):
    """The journal cannot be read or written, or contradicts itself."""


class IllegalTransitionError(JournalError):
    """An order or slot met an event that its state does not allow."""


class OvertakenError(JournalError):
    """Another process signed the order, or ended it, while this one was about to: the journal has it."""


class FencedError(JournalError):
    """Another process writes the account, or took it over since the nonce was reserved.

    What was signed meanwhile is not in the journal and must never be sent.
    """


class MissingToolError(OnchainExecError):
    """A program or package that is needed is not installed."""


class TamperedPackageError(MissingToolError):
    """A downloaded package is not the one that was pinned, or would write outside its folder."""
