"""One relay or builder: its methods, signed by the searcher's identity.

What it answers proves nothing. A relay acknowledges what it drops, and cancels what is mined; only the
chain says what became of a transaction. Nonces are never asked of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from onchain_exec.chain.decode import Json, to_bytes, to_hex
from onchain_exec.chain.http_rpc import HttpRpc
from onchain_exec.chain.relays.bundle import Bundle, PrivateTx, SendConditions, SharedBundle
from onchain_exec.chain.relays.identity import HEADER, RelayIdentity
from onchain_exec.core.hashing import keccak
from onchain_exec.errors import NodeUnreachableError

T = TypeVar("T")
_TIMEOUT_S: Final = 3.0
"""A quarter of a slot: what a relay answers later is late for the next block."""


@dataclass(frozen=True, slots=True)
class TriedTx:
    """What a relay's simulation says of one transaction; ``revert`` is its reason, empty if it succeeded."""

    tx_hash: str
    gas_used: int
    revert: str = ""


@dataclass(frozen=True, slots=True)
class TriedBundle:
    """A relay's simulation of a bundle. ``coinbase_wei`` is all that the builder gets, fees and transfers."""

    transactions: tuple[TriedTx, ...]
    gas_used: int
    coinbase_wei: int

    @property
    def success(self) -> bool:
        """Whether nothing reverted."""
        return not any(tx.revert for tx in self.transactions)


class Relay(HttpRpc):
    """A relay's HTTP endpoint, known by ``name`` (scheme and host if it is empty). Every request carries the
    identity's signature.

    Its methods raise as `Rpc.request` does; NodeUnreachableError is AMBIGUOUS: it may have taken what was
    sent. Nothing is repeated.
    """

    def __init__(
        self, url: str, identity: RelayIdentity, *, name: str = "", timeout_s: float = _TIMEOUT_S
    ) -> None:
        super().__init__(url, timeout_s=timeout_s)
        self.name, self._identity = name or self.where, identity

    async def send_bundle(self, bundle: Bundle) -> str:
        """Hand a bundle over; return the hash that the relay names it by, if it names one."""
        return _read_hash(await self.request("eth_sendBundle", (bundle.to_json(),)), "bundleHash")

    async def call_bundle(
        self, bundle: Bundle, state_block: int | str = "latest", timestamp: int | None = None
    ) -> TriedBundle:
        """Return what the relay's simulation makes of a bundle on the state of ``state_block``."""
        params = (bundle.to_call_json(state_block, timestamp),)
        return self._read(await self.request("eth_callBundle", params), _decode_trial)

    async def cancel_bundle(self, replacement_id: str) -> None:
        """Ask to forget the bundles of that id. One that is under way to a proposer is mined all the same."""
        await self.request("eth_cancelBundle", ({"replacementUuid": replacement_id},))

    async def send_private(self, tx: PrivateTx) -> str:
        """Hand a private transaction over; return the hash that the relay names."""
        return _read_hash(await self.request("eth_sendPrivateTransaction", (tx.to_json(),)), "txHash")

    async def cancel_private(self, tx_hash: str) -> bool:
        """Ask to forget a private transaction; return whether the relay says that it will."""
        return await self.request("eth_cancelPrivateTransaction", ({"txHash": tx_hash},)) is True

    async def send_shared(self, bundle: SharedBundle) -> str:
        """Hand a bundle to MEV-Share; return the hash that the relay names it by."""
        return _read_hash(await self.request("mev_sendBundle", (bundle.to_json(),)), "bundleHash")

    async def simulate_shared(self, bundle: SharedBundle, parent_block: int) -> Mapping[str, Any]:
        """Return MEV-Share's simulation of a bundle, as it stands in the answer."""
        options = {"parentBlock": hex(parent_block)}
        found = await self.request("mev_simBundle", (bundle.to_json(), options))
        return self._read(found, dict)

    async def send_conditional(self, raw: bytes, conditions: SendConditions) -> str:
        """Hand a transaction to a sequencer that drops it unless the conditions hold; return its hash."""
        params = (to_hex(raw), conditions.to_json())
        return _read_hash(await self.request("eth_sendRawTransactionConditional", params), "txHash")

    def _get_headers(self, body: bytes) -> Mapping[str, str]:
        return {HEADER: self._identity.sign(body)}

    def _read(self, found: Any, decode: Callable[[Any], T]) -> T:
        try:
            return decode(found)
        except (KeyError, TypeError, ValueError) as error:
            raise NodeUnreachableError(
                f"{self.where} answered with a simulation that cannot be read: {error}",
                needed="the fields of eth_callBundle",
            ) from error


class PrivateEndpoint(Relay):
    """A relay in the place of a node that takes transactions: what is handed to it as
    ``eth_sendRawTransaction`` goes out as a private transaction."""

    async def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        """As of `Rpc.request`."""
        if method != "eth_sendRawTransaction":
            return await super().request(method, params)
        raw = to_bytes(params[0])
        return await self.send_private(PrivateTx(raw)) or "0x" + keccak(raw).hex()


def _read_hash(answer: Any, field: str) -> str:
    """Relays answer with the hash, an object that holds it, or nothing at all."""
    found = answer.get(field) if isinstance(answer, dict) else answer
    return found.lower() if isinstance(found, str) else ""


def _decode_trial(found: Json) -> TriedBundle:
    return TriedBundle(
        transactions=tuple(
            TriedTx(
                tx_hash=tx["txHash"].lower(),
                gas_used=int(tx["gasUsed"]),
                revert=str(tx.get("revert") or tx.get("error") or ""),
            )
            for tx in found["results"]
        ),
        gas_used=int(found["totalGasUsed"]),
        coinbase_wei=int(found["coinbaseDiff"]),
    )
