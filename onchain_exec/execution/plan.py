"""The transaction on its way: plan, simulated, signed, durable. Each type is a proof of its step."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from onchain_exec.chain import Access, TxCall
from onchain_exec.core import Address, BlockRef, Log, address_bytes
from onchain_exec.risk import Approved
from onchain_exec.risk.action import ApprovedAction


class Purpose(enum.Enum):
    """What a transaction is for."""

    SWAP = "swap"
    ALLOWANCE = "allowance"
    CANCEL = "cancel"
    GAP = "gap"
    """Nothing, to oneself, at a nonce that nobody else uses and that later ones wait for."""
    REVOKE = "revoke"
    """An approval taken back; it is all that its order does."""
    ACTION = "action"
    """What an account does at a venue itself: supply, borrow, open, close."""

    @property
    def ends_order(self) -> bool:
        """Whether what becomes of the transaction is what becomes of its order."""
        return self in (Purpose.SWAP, Purpose.REVOKE, Purpose.ACTION)


def lends_code(raw: bytes) -> bool:
    """Return whether signed bytes lend their sender code (EIP-7702). Mined, they take two of its nonces:
    their own, and the next one for the authorisation."""
    return raw[:1] == b"\x04"


def get_lent_code(delegate: Address | None) -> bytes | None:
    """Return the code that stands at an account's address once it has lent itself ``delegate``'s, or None
    where it does not: EIP-7702's designator."""
    return b"\xef\x01\x00" + address_bytes(delegate) if delegate else None


@dataclass(frozen=True, slots=True)
class Fees:
    """Fee fields in wei per unit of gas.

    ``legacy`` marks a chain without EIP-1559: both fields are then the gas price.
    ``max_blob_fee_wei`` is per unit of blob gas, of a transaction that carries blobs (EIP-4844).
    """

    max_fee_wei: int
    max_priority_fee_wei: int
    legacy: bool = False
    max_blob_fee_wei: int | None = None


@dataclass(frozen=True, slots=True)
class StandingApproval:
    """What ``spender`` may pull of ``owner``'s ``token`` until it is revoked, in base units.

    ``permit2`` is the Permit2 through which it may (AllowanceTransfer); None is the token itself.
    """

    owner: Address
    token: Address
    spender: Address
    amount: int
    permit2: Address | None = None


@dataclass(frozen=True, slots=True)
class TxPlan:
    """An unsigned transaction; made by `execution` only.

    ``cause`` is what entitles it: an approved order, for a cancellation the transaction whose nonce
    it takes, or for a revocation the approval that stands. ``block`` is the block the decision was
    made at. ``depends_on`` are plans of the same account that must be mined before, in their order
    (an approval). ``grant`` says, for people, how a swap may pull what it sells. ``delegate`` is
    whose code the sender lends itself by it (EIP-7702). ``accesses`` are paid for before it runs, where
    that is cheaper.
    """

    cause: Approved | ApprovedAction | DurableTx | StandingApproval
    block: BlockRef
    purpose: Purpose
    sender: Address
    to: Address
    data: bytes
    value_wei: int
    fees: Fees
    depends_on: tuple[TxPlan, ...] = ()
    grant: str = ""
    delegate: Address | None = None
    accesses: tuple[Access, ...] = ()

    @property
    def order_id(self) -> str:
        """The order it serves; a revocation is one of its own, of this approval at this block."""
        match self.cause:
            case Approved(quote=quote):
                return quote.order.order_id
            case ApprovedAction(order=order):
                return order.order_id
            case DurableTx(order_id=order_id):
                return order_id
            case StandingApproval(token=token, spender=spender, permit2=permit2):
                through = "permit2" if permit2 else "token"
                return f"revoke:{token}:{spender}:{through}:{self.block.number}"

    @property
    def lent_code(self) -> bytes | None:
        """The code that stands at the sender's address once the transaction has lent it ``delegate``'s; see
        `get_lent_code`."""
        return get_lent_code(self.delegate)

    def at_limit(self, gas_limit: int) -> TxCall:
        """Return it as a transaction to try with this gas limit."""
        return TxCall(
            sender=self.sender,
            to=self.to,
            data=self.data,
            value_wei=self.value_wei,
            gas_limit=gas_limit,
            max_fee_wei=self.fees.max_fee_wei,
            max_priority_fee_wei=self.fees.max_priority_fee_wei,
            accesses=self.accesses,
        )


@dataclass(frozen=True, slots=True)
class SimulatedTx:
    """Proof that the plan succeeded in simulation; made by `execution.simulate` only.

    ``gas_used`` is what the simulation took, ``gas_limit`` what will be sent. ``amount_in`` and
    ``amount_out`` are the balance changes of trader and recipient that the simulation showed,
    ``allowance_left`` what the spender could still pull afterwards (all 0 for other purposes than a
    swap). ``depends_on`` are the plan's dependencies, simulated before it in the same block.
    """

    plan: TxPlan
    block: BlockRef
    gas_used: int
    gas_limit: int
    amount_in: int
    amount_out: int
    allowance_left: int
    logs: tuple[Log, ...]
    depends_on: tuple[SimulatedTx, ...] = ()


@dataclass(frozen=True, slots=True)
class SignedTx:
    """Signed bytes whose recovered signer was compared; made by `execution.sign` only."""

    simulated: SimulatedTx
    nonce: int
    raw: bytes
    tx_hash: str


@dataclass(frozen=True, slots=True)
class DurableTx:
    """Signed bytes that a durable journal line holds; made by `oms` only, and all that `send` takes.

    It is rebuilt from the journal after a crash, so it carries no more than the line does.
    ``nonce`` names the account's slot; several attempts may stand in one slot. ``private`` bytes may
    be seen by private endpoints only, also when they are sent again.
    """

    order_id: str
    purpose: Purpose
    chain_id: int
    sender: Address
    nonce: int
    raw: bytes
    tx_hash: str
    private: bool = False
