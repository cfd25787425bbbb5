"""EIP-2612: an allowance by signature, where the token is proven to understand it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from onchain_exec.core import Address, Answer, Call, Reading
from onchain_exec.core.abi import Function
from onchain_exec.core.hashing import keccak
from onchain_exec.errors import InputError
from onchain_exec.execution.signers import Signature, make_message
from onchain_exec.execution.signers.typed_data import encode_message

DOMAIN_SEPARATOR: Final = Function("DOMAIN_SEPARATOR()", "(bytes32)")
NONCES: Final = Function("nonces(address)", "(uint256)")
NAME: Final = Function("name()", "(string)")
VERSION: Final = Function("version()", "(string)")
TYPE_HASH: Final = Function("PERMIT_TYPEHASH()", "(bytes32)")
PERMIT: Final = Function("permit(address,address,uint256,uint256,uint8,bytes32,bytes32)")

_EIP2612: Final = keccak(
    b"Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
)
_DAI: Final = keccak(b"Permit(address holder,address spender,uint256 nonce,uint256 expiry,bool allowed)")
_USUAL_VERSIONS: Final = ("1", "2", None)


@dataclass(frozen=True, slots=True)
class PermitDomain:
    """What signatures for a token are bound to, and the ``nonce`` of the owner's next permit.
    ``version`` None: the token hashes none."""

    token: Address
    name: str
    version: str | None
    nonce: int

    def to_json(self, chain_id: int) -> dict[str, Any]:
        """Return the domain as EIP-712 has it."""
        version = {} if self.version is None else {"version": self.version}
        return {"name": self.name, **version, "chainId": chain_id, "verifyingContract": self.token}


@dataclass(frozen=True, slots=True)
class TokenPermit:
    """Leave for ``spender`` to pull ``amount`` base units of the domain's token, given by its owner's
    signature until ``deadline_at`` (unix seconds), once: it uses up the domain's nonce."""

    domain: PermitDomain
    owner: Address
    spender: Address
    amount: int
    deadline_at: int

    def to_message(self, chain_id: int) -> Mapping[str, Any]:
        """Return what the owner signs (EIP-712)."""
        fields = {
            "owner": self.owner,
            "spender": self.spender,
            "value": self.amount,
            "nonce": self.domain.nonce,
            "deadline": self.deadline_at,
        }
        return make_message("Permit", self.domain.to_json(chain_id), fields)

    def get_trial(self, signature: Signature) -> Call:
        """Return the read that succeeds if the token takes this signature."""
        data = PERMIT.encode(
            self.owner,
            self.spender,
            self.amount,
            self.deadline_at,
            27 + signature.y_parity,
            signature.r.to_bytes(32),
            signature.s.to_bytes(32),
        )
        return Call(self.domain.token, data)


def read_permit_domain(token: Address, owner: Address) -> Reading[PermitDomain | str]:
    """Read what a permit of ``owner``'s must be bound to, or why there can be none that is exact.

    Nothing is believed: the name and version count only if they hash to the token's own
    DOMAIN_SEPARATOR. (WETH9 answers any call with success and no data.) DAI's permit has no amount, it
    grants everything, so that it is refused.
    """
    snapshot = yield tuple(
        Call(token, data)
        for data in (
            DOMAIN_SEPARATOR.encode(),
            NONCES.encode(owner),
            NAME.encode(),
            VERSION.encode(),
            TYPE_HASH.encode(),
        )
    )
    separator, nonce, name, version, type_hash = snapshot.answers
    if not all(answer.success and len(answer.data) == 32 for answer in (separator, nonce)):
        return "the token takes no permits"
    if type_hash.success and len(type_hash.data) == 32 and type_hash.data != _EIP2612:
        kind = "DAI's, which is for any amount" if type_hash.data == _DAI else "of an unknown kind"
        return f"the token's permit is {kind}"
    text = _decode_text(NAME, name)
    for candidate in _list_versions(version):
        domain = PermitDomain(token, text, candidate, int.from_bytes(nonce.data))
        if _hash_domain(domain, snapshot.block.chain_id) == separator.data:
            return domain
    return "the domain of the token's permits is not known"


def _list_versions(answer: Answer) -> Iterator[str | None]:
    if told := _decode_text(VERSION, answer):
        yield told
    yield from _USUAL_VERSIONS


def _decode_text(function: Function, answer: Answer) -> str:
    if not answer.success:
        return ""
    try:
        return str(function.decode(answer.data)[0])
    except (InputError, UnicodeDecodeError):
        return ""


def _hash_domain(domain: PermitDomain, chain_id: int) -> bytes:
    nobody = TokenPermit(domain, domain.token, domain.token, 0, 0)
    return bytes(encode_message(nobody.to_message(chain_id)).header)
