"""Permit2: allowances that it keeps, granted by a call or by a signature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from onchain_exec.core import Address, Call, Reading, to_address
from onchain_exec.core.abi import Function
from onchain_exec.core.encoding import encode
from onchain_exec.core.hashing import keccak
from onchain_exec.venues.answer import decode_answer

PERMIT2: Final = to_address("0x000000000022D473030F116dDEE9F6B43aC78BA3")
"""Where it stands on every chain."""

APPROVE: Final = Function("approve(address,address,uint160,uint48)")
_ALLOWANCE: Final = Function("allowance(address,address,address)", "(uint160,uint48,uint48)")

_DOMAIN_TYPE: Final = keccak(b"EIP712Domain(string name,uint256 chainId,address verifyingContract)")
_NAME: Final = keccak(b"Permit2")
_DETAILS: Final = b"PermitDetails(address token,uint160 amount,uint48 expiration,uint48 nonce)"
_DETAILS_TYPE: Final = keccak(_DETAILS)
_PERMIT_TYPE: Final = keccak(
    b"PermitSingle(PermitDetails details,address spender,uint256 sigDeadline)" + _DETAILS
)


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave for ``spender`` to take ``amount`` base units of ``token`` until ``expires_at``.

    ``nonce`` is the one that `read_permit2_allowance` tells; the signature itself can be used until
    ``signature_expires_at``. Times are unix seconds.
    """

    token: Address
    amount: int
    expires_at: int
    nonce: int
    spender: Address
    signature_expires_at: int

    def to_tuple(self) -> tuple[tuple[Address, int, int, int], Address, int]:
        """Return the permit as ABI arguments (``IAllowanceTransfer.PermitSingle``)."""
        details = (self.token, self.amount, self.expires_at, self.nonce)
        return details, self.spender, self.signature_expires_at

    def get_digest(self, chain_id: int) -> bytes:
        """Return the 32 bytes that the owner signs (EIP-712)."""
        details, spender, deadline_at = self.to_tuple()
        hashed = keccak(
            encode(["bytes32", "address", "uint160", "uint48", "uint48"], [_DETAILS_TYPE, *details])
        )
        permit = keccak(
            encode(["bytes32", "bytes32", "address", "uint256"], [_PERMIT_TYPE, hashed, spender, deadline_at])
        )
        return keccak(b"\x19\x01" + get_domain_separator(chain_id) + permit)


def get_domain_separator(chain_id: int) -> bytes:
    """Return Permit2's ``DOMAIN_SEPARATOR``."""
    return keccak(
        encode(["bytes32", "bytes32", "uint256", "address"], [_DOMAIN_TYPE, _NAME, chain_id, PERMIT2])
    )


@dataclass(frozen=True, slots=True)
class Permit2Allowance:
    """What Permit2 lets a spender take: ``nonce`` is the next permit's."""

    amount: int
    expires_at: int
    nonce: int


def read_permit2_allowance(owner: Address, token: Address, spender: Address) -> Reading[Permit2Allowance]:
    """Read what ``spender`` may take of ``owner``'s token through Permit2.

    The token itself must let Permit2 take it too: see `erc20.read_allowance`.
    """
    snapshot = yield (Call(PERMIT2, _ALLOWANCE.encode(owner, token, spender)),)
    return Permit2Allowance(*decode_answer(_ALLOWANCE, PERMIT2, snapshot.answers[0]))
