"""Signed orders as the server takes them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from onchain_exec.clearing.settle import Scheme, SettleOrder, Signed
from onchain_exec.core import ZERO_ADDRESS
from onchain_exec.errors import InputError
from onchain_exec.oms.signed_book.terms import order_from_json
from onchain_exec.server.models import AddressText, Count, Units

Uint32 = Annotated[Count, Field(ge=0, lt=2**32)]
Flag = Annotated[bool, Field(strict=True)]


class TermsIn(BaseModel):
    """The terms of an order of the Settle contract (``ISettle.Order``), as they were signed."""

    model_config = ConfigDict(extra="forbid")

    owner: AddressText
    token_in: AddressText
    token_out: AddressText
    amount_in: Units
    amount_out: Units
    deadline_at: Uint32
    seq: Uint32
    lane: Uint32 = 0
    max_fee_bps: Annotated[Count, Field(ge=0, le=10_000)] = 0
    receiver: AddressText = ZERO_ADDRESS
    matcher: AddressText = ZERO_ADDRESS
    exact_out: Flag = False
    fill_or_kill: Flag = False

    def to_order(self) -> SettleOrder:
        """Return the order.

        Raises:
            InputError: a wrong checksum, one token on both sides, or an amount of nothing.
        """
        return order_from_json(self.model_dump())


class SignedIn(BaseModel):
    """An owner's word: of a key 64 bytes (EIP-2098) or 65 (r, s, v), of a contract what it takes (ERC-1271),
    of one that signed on chain (``presign``) nothing."""

    model_config = ConfigDict(extra="forbid")

    scheme: Literal["ecdsa", "erc1271", "presign"] = "ecdsa"
    signature: Annotated[str, Field(pattern=r"^0x([0-9a-fA-F]{2}){0,2048}$")] = "0x"

    def to_signed(self) -> Signed:
        """Return the word.

        Raises:
            InputError: a key's signature of another length, or with another v than 0, 1, 27 or 28.
        """
        scheme, signature = Scheme[self.scheme.upper()], bytes.fromhex(self.signature[2:])
        if scheme is Scheme.PRESIGN and signature:
            raise InputError("a signature of an order that was signed on chain", needed="0x")
        if scheme is not Scheme.ECDSA or len(signature) != 65:
            return Signed(scheme, signature)
        if signature[64] not in (0, 1, 27, 28):
            raise InputError(f"v is {signature[64]}", needed="27 or 28, or 0 or 1")
        return Signed.by_key(signature[:64] + bytes([signature[64] % 27]))


class SignedOrderIn(BaseModel):
    """An order and its owner's word for it."""

    model_config = ConfigDict(extra="forbid")

    order: TermsIn
    signed: SignedIn
