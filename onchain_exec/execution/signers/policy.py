"""What a key may sign, whatever the process that asks believes: checked before any signature is made."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from onchain_exec.core import Address
from onchain_exec.errors import ConfigError, PolicyError
from onchain_exec.execution.signers.intent import Intent
from onchain_exec.execution.signers.reading import read_message, read_transaction
from onchain_exec.execution.signers.signature import Signature
from onchain_exec.execution.signers.signer import Capability, Signer
from onchain_exec.execution.signers.transaction import UnsignedTx


@dataclass(frozen=True, slots=True)
class SpendCap:
    """At most ``amount`` base units of ``token`` in any ``window_s`` seconds. The zero address is the
    native coin, whose gas counts too."""

    token: Address
    amount: int
    window_s: int


@dataclass(frozen=True, slots=True)
class SigningPolicy:
    """What may be signed; what is not named is forbidden.

    Attributes:
        chain_id: the one chain.
        contracts: what may be called, and with which selectors. Who is granted an allowance must be
            one of these contracts too.
        recipients: who may receive what is bought or moved.
        caps: bounds per token and time window; a token without one cannot be spent or granted, so
            that the native coin always needs one, for the gas.

    Raises:
        ConfigError: a cap that is negative, or over no time.
    """

    chain_id: int
    contracts: Mapping[Address, frozenset[bytes]]
    recipients: frozenset[Address]
    caps: tuple[SpendCap, ...]

    def __post_init__(self) -> None:
        for cap in self.caps:
            if cap.amount < 0 or cap.window_s <= 0:
                raise ConfigError(f"{cap}", needed="an amount of 0 or more, over a time above 0")

    def require_allowed(self, intent: Intent) -> None:
        """Return if the policy allows the intent, apart from what was spent before.

        Raises:
            PolicyError: it does not.
        """
        selectors = self.contracts.get(intent.target, frozenset())
        if intent.selector not in selectors and (intent.selector or intent.target not in self.recipients):
            called = f"selector 0x{intent.selector.hex()} of " if intent.selector else ""
            raise _forbid(f"the transaction calls {called}{intent.target}", "a call that the policy lists")
        for receiver in intent.receivers - self.recipients:
            raise _forbid(f"{receiver} would receive tokens", f"one of {_list(self.recipients)}")
        if not intent.is_bounded:
            raise _forbid("a swap without a minimum, or one that leaves tokens behind", "amount_out_min > 0")
        for given in intent.allowances:
            if given.spender not in self.contracts:
                raise _forbid(f"{given.spender} would be granted an allowance", "a listed contract")
            for cap in self.get_caps(given.token, given.amount):
                if given.amount > cap.amount:
                    raise _forbid(f"an allowance of {given.amount} of {given.token}", f"at most {cap.amount}")

    def get_caps(self, token: Address, amount: int) -> tuple[SpendCap, ...]:
        """Return the caps of a token of which ``amount`` is to be spent.

        Raises:
            PolicyError: it has none, and the amount is not 0.
        """
        caps = tuple(cap for cap in self.caps if cap.token == token)
        if amount and not caps:
            raise _forbid(f"{amount} of {token} would be spent or granted", "a token with a cap")
        return caps


class GuardedSigner:
    """A signer behind a `SigningPolicy`. Run it where the key is: what asks is outside.

    Spends count from the moment they are admitted, signed or not. Only one transaction of a nonce
    can be mined, so of several at one nonce the largest counts; orders of one lane and seq share what they
    fill, and count likewise. The account is kept in memory: a
    new process starts with none, within its windows at most the caps again.
    """

    def __init__(
        self, inner: Signer, policy: SigningPolicy, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._inner, self._policy, self._now = inner, policy, now
        self._spent: dict[Hashable, tuple[float, Mapping[Address, int]]] = {}

    @property
    def address(self) -> Address:
        """The account of the signer behind."""
        return self._inner.address

    @property
    def capabilities(self) -> frozenset[Capability]:
        """Those of the signer behind."""
        return self._inner.capabilities

    async def sign_transaction(self, tx: UnsignedTx) -> Signature:
        """Return the signature of the signer behind; a cancellation (nothing to oneself) spends its
        gas alone.

        Raises:
            PolicyError: forbidden, or beyond a cap; the signer behind is not asked.
            SignerError: the signer behind fails.
        """
        self._require_chain(tx.chain_id)
        intent = read_transaction(tx)
        if not (tx.to == self.address and not tx.value_wei and not tx.data):
            self._policy.require_allowed(intent)
        self._admit(("transaction", tx.nonce), intent.spends)
        return await self._inner.sign_transaction(tx)

    async def sign_typed_data(self, message: Mapping[str, Any]) -> Signature:
        """Return the signature of the signer behind, of a permit, an order or a Safe's transaction.

        Raises:
            PolicyError: forbidden, or beyond a cap; the signer behind is not asked.
            SignerError: the signer behind fails.
        """
        domain = message.get("domain", {})
        self._require_chain(domain.get("chainId"))
        intent = read_message(message)
        self._policy.require_allowed(intent)
        places = (message["message"].get(name) for name in ("nonce", "lane", "seq"))
        self._admit((domain.get("verifyingContract"), *places), intent.spends)
        return await self._inner.sign_typed_data(message)

    def _require_chain(self, chain_id: object) -> None:
        if chain_id != self._policy.chain_id:
            raise _forbid(f"it is for chain {chain_id}", f"chain {self._policy.chain_id}")

    def _admit(self, slot: Hashable, spends: Mapping[Address, int]) -> None:
        """Count the spends of a slot, or raise PolicyError and count nothing."""
        now = self._now()
        _, before = self._spent.get(slot, (now, {}))
        largest = {token: max(spends.get(token, 0), before.get(token, 0)) for token in {*spends, *before}}
        for token, amount in largest.items():
            for cap in self._policy.get_caps(token, amount):
                others = self._sum_spent(token, now - cap.window_s, slot)
                if others + amount > cap.amount:
                    raise _forbid(
                        f"{amount} of {token} after {others} within {cap.window_s} s",
                        f"at most {cap.amount} together",
                    )
        self._forget(now)
        self._spent[slot] = (now, largest)

    def _sum_spent(self, token: Address, since: float, besides: Hashable) -> int:
        return sum(
            spends.get(token, 0)
            for slot, (at, spends) in self._spent.items()
            if slot != besides and at > since
        )

    def _forget(self, now: float) -> None:
        longest = max((cap.window_s for cap in self._policy.caps), default=0)
        self._spent = {slot: spent for slot, spent in self._spent.items() if spent[0] > now - longest}


def _forbid(found: str, needed: str) -> PolicyError:
    return PolicyError(found, needed=needed, todo="Change the order, or the policy where the key is")


def _list(addresses: frozenset[Address]) -> str:
    return ", ".join(sorted(addresses)) or "none"
