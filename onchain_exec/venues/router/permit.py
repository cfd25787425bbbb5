"""What an owner signs so that anyone may bring its swap, and nobody can change it."""

from __future__ import annotations

from typing import Any, Final

from onchain_exec.core import Address
from onchain_exec.core.encoding import encode
from onchain_exec.core.hashing import keccak
from onchain_exec.venues.permit2 import PERMIT2, get_domain_separator
from onchain_exec.venues.router.codec import RouterCall, hash_conditions, hash_hops

_TYPES: Final = {
    "PermitWitnessTransferFrom": (
        ("TokenPermissions", "permitted"),
        ("address", "spender"),
        ("uint256", "nonce"),
        ("uint256", "deadline"),
        ("Swap", "witness"),
    ),
    "Swap": (
        ("address", "owner"),
        ("address", "tokenOut"),
        ("uint256", "amountOutMin"),
        ("address", "recipient"),
        ("bytes32", "hopsHash"),
        ("bytes32", "checksHash"),
    ),
    "TokenPermissions": (("address", "token"), ("uint256", "amount")),
}
_DOMAIN: Final = (("string", "name"), ("uint256", "chainId"), ("address", "verifyingContract"))


def _encode_type(name: str, *referenced: str) -> bytes:
    parts = [f"{n}({','.join(map(' '.join, _TYPES[n]))})" for n in (name, *referenced)]
    return keccak("".join(parts).encode())


_PERMIT_TYPE: Final = _encode_type("PermitWitnessTransferFrom", "Swap", "TokenPermissions")
_SWAP_TYPE: Final = _encode_type("Swap")
_PERMISSIONS_TYPE: Final = _encode_type("TokenPermissions")


def get_permit_digest(call: RouterCall, router: Address, owner: Address, nonce: int, chain_id: int) -> bytes:
    """Return the 32 bytes that ``owner`` signs for ``call`` (EIP-712, Permit2's SignatureTransfer).

    ``nonce`` is any that the owner has not used with Permit2 yet: they need no order. The call's
    permit, if it has one already, is not part of what is signed.
    """
    permitted, witness = _values(call, owner)
    hashed = (_hash_struct(_PERMISSIONS_TYPE, "TokenPermissions", permitted), router, nonce)
    message = keccak(
        encode(
            ["bytes32", "bytes32", "address", "uint256", "uint256", "bytes32"],
            [_PERMIT_TYPE, *hashed, call.terms.deadline_at, _hash_struct(_SWAP_TYPE, "Swap", witness)],
        )
    )
    return keccak(b"\x19\x01" + get_domain_separator(chain_id) + message)


def get_permit_typed_data(
    call: RouterCall, router: Address, owner: Address, nonce: int, chain_id: int
) -> dict[str, Any]:
    """Return the same as a wallet takes it (``eth_signTypedData_v4``), hashes as hex text."""
    permitted, witness = _values(call, owner)
    types = {"EIP712Domain": _DOMAIN, **_TYPES}
    return {
        "types": {name: [{"name": f, "type": t} for t, f in fields] for name, fields in types.items()},
        "primaryType": "PermitWitnessTransferFrom",
        "domain": {"name": "Permit2", "chainId": chain_id, "verifyingContract": PERMIT2},
        "message": {
            "permitted": permitted,
            "spender": router,
            "nonce": nonce,
            "deadline": call.terms.deadline_at,
            "witness": {
                name: f"0x{value.hex()}" if isinstance(value, bytes) else value
                for name, value in witness.items()
            },
        },
    }


def _values(call: RouterCall, owner: Address) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the permitted transfer and the witness, by field."""
    terms = call.terms
    permitted = {"token": terms.token_in, "amount": terms.amount_in_max}
    witness = {
        "owner": owner,
        "tokenOut": terms.token_out,
        "amountOutMin": terms.amount_out_min,
        "recipient": terms.recipient,
        "hopsHash": hash_hops(call.hops),
        "checksHash": hash_conditions(call.conditions),
    }
    return permitted, witness


def _hash_struct(type_hash: bytes, name: str, values: dict[str, Any]) -> bytes:
    kinds = [kind for kind, _ in _TYPES[name]]
    return keccak(encode(["bytes32", *kinds], [type_hash, *values.values()]))
