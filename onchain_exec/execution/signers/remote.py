"""Keys in a signing service over HTTP, by the API of web3signer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aiohttp

from onchain_exec.chain import HttpRpc, Rpc
from onchain_exec.chain.rpc import name_failure
from onchain_exec.core import Address
from onchain_exec.core.ecdsa import get_key_address
from onchain_exec.errors import NodeError, SignerError
from onchain_exec.execution.signers.signature import Signature
from onchain_exec.execution.signers.signer import Capability
from onchain_exec.execution.signers.transaction import UnsignedTx, extract_signature
from onchain_exec.execution.signers.typed_data import encode_message


class RemoteSigner:
    """A key of a web3signer that runs with ``eth1``, by its REST API: ``eth1/sign``.

    ``public_key`` is the uncompressed key, by which the service names it: 0x and 128 hex digits.
    The service hashes what it is given (keccak) and signs that; it sees the whole transaction.
    """

    def __init__(self, url: str, public_key: str, *, timeout_s: float = 5.0) -> None:
        self._address = _get_address(public_key)
        self._endpoint = f"{url.rstrip('/')}/api/v1/eth1/sign/{public_key}"
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)

    @property
    def address(self) -> Address:
        """The account of the key."""
        return self._address

    @property
    def capabilities(self) -> frozenset[Capability]:
        """Transactions and typed data; whether it is deterministic is up to the service's key store."""
        return frozenset({Capability.TRANSACTION, Capability.TYPED_DATA})

    async def sign_transaction(self, tx: UnsignedTx) -> Signature:
        """Return the service's signature.

        Raises:
            SignerError: the service refuses, fails, does not answer, or answers something else.
        """
        return await self._sign(tx.payload)

    async def sign_typed_data(self, message: Mapping[str, Any]) -> Signature:
        """Return the service's signature of an EIP-712 message; as for a transaction.

        Raises:
            SignerError: as for a transaction, or the message is malformed.
        """
        encoded = encode_message(message)
        return await self._sign(b"\x19" + encoded.version + encoded.header + encoded.body)

    async def _sign(self, payload: bytes) -> Signature:
        try:
            async with (
                aiohttp.ClientSession(timeout=self._timeout) as session,
                session.post(
                    self._endpoint, json={"data": "0x" + payload.hex()}, allow_redirects=False
                ) as response,
            ):
                text = await response.text()
        except (TimeoutError, aiohttp.ClientError, OSError, UnicodeDecodeError) as error:
            raise _fail(f"no usable answer ({name_failure(error)})") from error
        if response.status != 200:
            raise _fail(f"HTTP {response.status}")
        return _parse_signature(text)

    def __repr__(self) -> str:
        return f"RemoteSigner({self._address})"


class RpcSigner:
    """An account of a signing service by JSON-RPC: ``eth_signTransaction`` and ``eth_signTypedData``.

    The service must fill in nothing and be of the same chain: what it returns is compared with what
    was asked, byte for byte.
    """

    def __init__(self, rpc: Rpc | str, address: Address) -> None:
        self._rpc = HttpRpc(rpc) if isinstance(rpc, str) else rpc
        self._address = address

    @property
    def address(self) -> Address:
        """The account."""
        return self._address

    @property
    def capabilities(self) -> frozenset[Capability]:
        """Transactions and typed data."""
        return frozenset({Capability.TRANSACTION, Capability.TYPED_DATA})

    async def sign_transaction(self, tx: UnsignedTx) -> Signature:
        """Return the signature in the transaction that the service gives back.

        Raises:
            SignerError: the service refuses, fails, or gives back another transaction.
        """
        if tx.authorisations:
            raise SignerError("eth_signTransaction has no authorisations", needed="another signer")
        fields: dict[str, Any] = {
            "from": self._address,
            "to": tx.to,
            "gas": hex(tx.gas_limit),
            "value": hex(tx.value_wei),
            "data": "0x" + tx.data.hex(),
            "nonce": hex(tx.nonce),
            "chainId": hex(tx.chain_id),
        }
        if tx.fees.legacy:
            fields["gasPrice"] = hex(tx.fees.max_fee_wei)
        else:
            fields["maxFeePerGas"] = hex(tx.fees.max_fee_wei)
            fields["maxPriorityFeePerGas"] = hex(tx.fees.max_priority_fee_wei)
        if tx.accesses:
            fields["accessList"] = [access.to_json() for access in tx.accesses]
        return extract_signature(tx, _parse_hex(await self._ask("eth_signTransaction", fields)))

    async def sign_typed_data(self, message: Mapping[str, Any]) -> Signature:
        """Return the service's signature of an EIP-712 message.

        Raises:
            SignerError: the service refuses, fails, or gives back something else.
        """
        return _parse_signature(await self._ask("eth_signTypedData", self._address, dict(message)))

    async def close(self) -> None:
        """Release the connections."""
        await self._rpc.close()

    async def _ask(self, method: str, *params: Any) -> Any:
        try:
            return await self._rpc.request(method, params)
        except NodeError as error:
            raise _fail(str(error)) from error

    def __repr__(self) -> str:
        return f"RpcSigner({self._address})"


def _get_address(public_key: str) -> Address:
    key = _parse_hex(public_key)
    if len(key) not in (64, 65):
        raise SignerError(f"a public key of {len(key)} bytes", needed="the uncompressed key: 64 bytes")
    return get_key_address(b"\x04" + key[-64:])


def _parse_signature(text: object) -> Signature:
    """Return the signature of hex r, s, v, where v is 27 or 28 or, with some services, 0 or 1."""
    packed = _parse_hex(text)
    if len(packed) != 65 or packed[64] not in (0, 1, 27, 28):
        raise _fail(f"{len(packed)} bytes that are no signature")
    return Signature.from_bytes(packed[:64] + bytes((packed[64] % 27,)))


def _parse_hex(text: object) -> bytes:
    try:
        return bytes.fromhex(str(text).strip().strip('"').removeprefix("0x"))
    except ValueError as error:
        raise _fail("an answer that is not hex") from error


def _fail(found: str) -> SignerError:
    return SignerError(
        f"the signing service gave {found}",
        needed="a signature",
        todo="Check that it runs and holds the key; nothing was sent",
    )
