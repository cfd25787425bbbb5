"""A signed spot order of our Settle contract: its terms, what is signed of it, and its limit."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag
from typing import Any, Final, TypeAlias

from onchain_exec.core import ZERO_ADDRESS, Address
from onchain_exec.core.encoding import encode
from onchain_exec.core.hashing import keccak
from onchain_exec.errors import InputError

_Fields: TypeAlias = tuple[tuple[str, str], ...]

_FIELDS: Final = (
    ("address", "owner"),
    ("address", "receiver"),
    ("address", "tokenIn"),
    ("address", "tokenOut"),
    ("uint128", "amountIn"),
    ("uint128", "amountOut"),
    ("uint32", "deadline"),
    ("uint32", "lane"),
    ("uint32", "seq"),
    ("uint16", "maxFeeBps"),
    ("address", "matcher"),
    ("uint8", "flags"),
)
_WITHDRAWAL_FIELDS: Final = (("bytes32", "order"),)
_DOMAIN_FIELDS: Final = (
    ("string", "name"),
    ("string", "version"),
    ("uint256", "chainId"),
    ("address", "verifyingContract"),
)
_NAME, _VERSION = "Settle", "1"


def _type_hash(name: str, fields: _Fields) -> bytes:
    return keccak(f"{name}({','.join(map(' '.join, fields))})".encode())


_ORDER_TYPE: Final = _type_hash("Order", _FIELDS)
_WITHDRAWAL_TYPE: Final = _type_hash("Withdrawal", _WITHDRAWAL_FIELDS)
_DOMAIN_TYPE: Final = _type_hash("EIP712Domain", _DOMAIN_FIELDS)
ORDER_TYPES: Final = tuple(kind for kind, _ in _FIELDS)
"""The ABI types of `SettleOrder.to_tuple` (``ISettle.Order``)."""
_STRUCT_TYPES: Final = ("bytes32", *ORDER_TYPES)
_DOMAIN_TYPES: Final = ("bytes32", "bytes32", "bytes32", "uint256", "address")


class Flags(IntFlag):
    """How an order may be filled (``ISettle.Order.flags``)."""

    NONE = 0
    EXACT_OUT = 1
    """``amount_out`` is what is to be bought, and fills count in the token bought."""
    FILL_OR_KILL = 2
    """All of it or nothing."""


@dataclass(frozen=True, slots=True)
class SettleOrder:
    """What an owner signs (``ISettle.Order``): sell at most ``amount_in`` base units of ``token_in`` at no
    less than ``amount_out`` of ``token_out`` for the whole of it.

    The limit binds each fill alone and nothing is rounded. ``receiver`` zero is the owner; ``matcher`` zero
    is anyone; ``deadline_at`` is the last unix second. On the owner's ``lane`` orders count up by ``seq``:
    filling a later one, or cancelling, kills those before it. ``max_fee_bps`` bounds what a matcher keeps,
    in 1e-4 of what the other side pays.
    """

    owner: Address
    token_in: Address
    token_out: Address
    amount_in: int
    amount_out: int
    deadline_at: int
    seq: int
    lane: int = 0
    max_fee_bps: int = 0
    receiver: Address = ZERO_ADDRESS
    matcher: Address = ZERO_ADDRESS
    flags: Flags = Flags.NONE

    def __post_init__(self) -> None:
        if self.token_in == self.token_out:
            raise InputError(f"an order that sells and buys {self.token_in}", needed="two tokens")
        if not self.amount_in or not self.amount_out:
            raise InputError(
                f"an order of {self.amount_in} for {self.amount_out}",
                needed="both above zero: an order for nothing gives its tokens away",
            )

    @property
    def pays_to(self) -> Address:
        """Who gets what is bought."""
        return self.owner if self.receiver == ZERO_ADDRESS else self.receiver

    @property
    def is_exact_out(self) -> bool:
        """Whether fills count in the token bought."""
        return Flags.EXACT_OUT in self.flags

    @property
    def size(self) -> int:
        """The whole of it, in what its fills count in."""
        return self.amount_out if self.is_exact_out else self.amount_in

    def to_tuple(self) -> tuple[Any, ...]:
        """Return the order as ABI arguments (``ISettle.Order``)."""
        return (
            self.owner,
            self.receiver,
            self.token_in,
            self.token_out,
            self.amount_in,
            self.amount_out,
            self.deadline_at,
            self.lane,
            self.seq,
            self.max_fee_bps,
            self.matcher,
            int(self.flags),
        )


@dataclass(frozen=True, slots=True)
class Domain:
    """Where orders count: one contract on one chain (EIP-712)."""

    chain_id: int
    contract: Address

    def get_digest(self, order: SettleOrder) -> bytes:
        """Return the 32 bytes that the owner signs (``Settle.hashOrder``).

        Raises:
            InputError: a term is beyond its type.
        """
        return self._get_digest(encode(_STRUCT_TYPES, (_ORDER_TYPE, *order.to_tuple())))

    def get_withdrawal_digest(self, order_digest: bytes) -> bytes:
        """Return the 32 bytes that an owner signs to have an order shown to nobody any more. A book heeds it;
        the contract does not know it: there, only the lane counts."""
        return self._get_digest(_WITHDRAWAL_TYPE + order_digest)

    @property
    def separator(self) -> bytes:
        """The domain separator."""
        name, version = keccak(_NAME.encode()), keccak(_VERSION.encode())
        return keccak(encode(_DOMAIN_TYPES, (_DOMAIN_TYPE, name, version, self.chain_id, self.contract)))

    def get_typed_data(self, order: SettleOrder) -> dict[str, Any]:
        """Return an order as a wallet takes it (``eth_signTypedData_v4``)."""
        return self._describe("Order", _FIELDS, order.to_tuple())

    def get_withdrawal_data(self, order_digest: bytes) -> dict[str, Any]:
        """Return a withdrawal as a wallet takes it."""
        return self._describe("Withdrawal", _WITHDRAWAL_FIELDS, ("0x" + order_digest.hex(),))

    def _get_digest(self, encoded: bytes) -> bytes:
        return keccak(b"\x19\x01" + self.separator + keccak(encoded))

    def _describe(self, name: str, fields: _Fields, values: tuple[Any, ...]) -> dict[str, Any]:
        return {
            "types": {"EIP712Domain": _named(_DOMAIN_FIELDS), name: TYPES[name]},
            "primaryType": name,
            "domain": {
                "name": _NAME,
                "version": _VERSION,
                "chainId": self.chain_id,
                "verifyingContract": self.contract,
            },
            "message": dict(zip((field for _, field in fields), values, strict=True)),
        }


def _named(fields: _Fields) -> list[dict[str, str]]:
    return [{"name": name, "type": kind} for kind, name in fields]


TYPES: Final = {"Order": _named(_FIELDS), "Withdrawal": _named(_WITHDRAWAL_FIELDS)}
"""What an owner may sign, by primary type, as a wallet takes it."""
