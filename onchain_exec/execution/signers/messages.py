"""The EIP-712 messages we make and know: their types, letter for letter, and their making."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from onchain_exec.clearing.settle.order import TYPES as SETTLE_TYPES

Types: TypeAlias = Mapping[str, list[dict[str, str]]]


def _fields(text: str) -> list[dict[str, str]]:
    pairs = [field.split() for field in text.split(",")]
    return [{"name": name, "type": kind} for kind, name in pairs]


KNOWN_TYPES: Final[Mapping[str, Types]] = {
    "Permit": {
        "Permit": _fields("address owner, address spender, uint256 value, uint256 nonce, uint256 deadline"),
    },
    "PermitSingle": {
        "PermitSingle": _fields("PermitDetails details, address spender, uint256 sigDeadline"),
        "PermitDetails": _fields("address token, uint160 amount, uint48 expiration, uint48 nonce"),
    },
    "PermitWitnessTransferFrom": {
        "PermitWitnessTransferFrom": _fields(
            "TokenPermissions permitted, address spender, uint256 nonce, uint256 deadline, Swap witness"
        ),
        "Swap": _fields(
            "address owner, address tokenOut, uint256 amountOutMin, address recipient, bytes32 hopsHash,"
            " bytes32 checksHash"
        ),
        "TokenPermissions": _fields("address token, uint256 amount"),
    },
    "SafeTx": {
        "SafeTx": _fields(
            "address to, uint256 value, bytes data, uint8 operation, uint256 safeTxGas, uint256 baseGas,"
            " uint256 gasPrice, address gasToken, address refundReceiver, uint256 nonce"
        ),
    },
    **{kind: {kind: fields} for kind, fields in SETTLE_TYPES.items()},
}
"""By primary type: EIP-2612's permit, Permit2's (AllowanceTransfer), our Router's (SignatureTransfer with
the swap as its witness), a Safe's transaction, and what owners of orders of our Settle contract sign."""

_DOMAIN_TYPES: Final = {
    "name": "string",
    "version": "string",
    "chainId": "uint256",
    "verifyingContract": "address",
}


def make_message(kind: str, domain: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the message of primary type ``kind``, as `Signer.sign_typed_data` takes it. ``domain``
    has those of name, version, chainId and verifyingContract that the contract hashes."""
    declared = [{"name": name, "type": _DOMAIN_TYPES[name]} for name in _DOMAIN_TYPES if name in domain]
    return {
        "types": {"EIP712Domain": declared, **KNOWN_TYPES[kind]},
        "primaryType": kind,
        "domain": dict(domain),
        "message": dict(fields),
    }


def has_known_types(message: Mapping[str, Any]) -> bool:
    """Return whether the message says of its types just what its primary type is known for, so that
    what is read of its fields is what is hashed; and whether its domain hashes chain and contract."""
    types = dict(message.get("types", {}))
    domain = types.pop("EIP712Domain", [])
    hashed = {field["name"] for field in domain}
    return types == KNOWN_TYPES.get(message.get("primaryType", "")) and hashed >= {
        "chainId",
        "verifyingContract",
    }
