"""Signed orders looked at on the chain's newest block, those that come at the same time in one batch."""

from __future__ import annotations

import asyncio
from typing import Final, TypeAlias

from onchain_exec.chain import Node
from onchain_exec.clearing.settle import Domain, Scheme, Signed
from onchain_exec.clearing.settle.order_book import OpenOrder, Refusal, RefusalCode
from onchain_exec.clearing.settle.verification import (
    IS_VALID_SIGNATURE,
    Verified,
    is_erc1271_consent,
    read_verified,
)
from onchain_exec.core import Address, BlockRef, Call
from onchain_exec.errors import OnchainExecError, OrderRefusedError

_MOST_AT_ONCE: Final = 100
_WALLETS_AT_ONCE: Final = 4
"""A wallet's code is a stranger's, and may be slow: it is run apart, a few at a time."""
_ADVICE: Final = {
    RefusalCode.EXPIRED: "Sign it with a later deadline",
    RefusalCode.LANE_PASSED: "Sign it with a seq that the lane has not passed",
    RefusalCode.USED_UP: "Sign another order, with a later seq",
    RefusalCode.NOT_SIGNED: "Compare the digest with what the owner signed",
    RefusalCode.FOREIGN_MATCHER: "Name nobody as matcher, or who is to send it",
    RefusalCode.BALANCE_SHORT: "Send the owner more of the token, or sell less",
    RefusalCode.ALLOWANCE_SHORT: "Let the owner approve the contract for what the order sells",
}

Look: TypeAlias = tuple[Verified | Refusal, BlockRef]


class Verifier:
    """Looks at the orders of one domain."""

    def __init__(self, node: Node, domain: Domain) -> None:
        self.domain = domain
        self._node = node
        self._waiting: list[tuple[OpenOrder, asyncio.Future[Look]]] = []
        self._looking: asyncio.Task[None] | None = None
        self._wallets = asyncio.Semaphore(_WALLETS_AT_ONCE)

    async def verify(self, resting: OpenOrder, least: int | None = None) -> tuple[Verified, BlockRef]:
        """Return how an order stands on the newest block, and that block.

        ``least`` is how much of it must be left and paid for, in what it counts in; None for all that its
        lane leaves. A key's signature is looked at before the node is asked anything.

        Raises:
            OrderRefusedError: it cannot be settled, or less of it; the reason is a `RefusalCode`.
            NodeError: the node fails.
        """
        if resting.signed.scheme is Scheme.ECDSA:
            await self.require_word(resting.order.owner, resting.digest, resting.signed)
        found, block = await self._look(resting)
        if isinstance(found, Refusal):
            raise _refuse(found.code, found.found, found.needed)
        _require_paid(found, found.unfilled if least is None else least)
        return found, block

    async def require_word(self, owner: Address, digest: bytes, signed: Signed) -> None:
        """Return if the owner's key, or its code at the newest block, stands for a digest.

        Raises:
            OrderRefusedError: it does not (``not_signed``).
            NodeError: the node fails.
        """
        if signed.scheme is Scheme.ECDSA:
            is_signed = signed.is_by_key(owner, digest)
        elif signed.scheme is Scheme.ERC1271:
            call = Call(owner, IS_VALID_SIGNATURE.encode(digest, signed.signature))
            async with self._wallets:
                snapshot = await self._node.read_calls([call], await self._node.get_block())
            is_signed = is_erc1271_consent(snapshot.answers[0])
        else:
            is_signed = False  # the chain keeps words for orders only
        if not is_signed:
            found = f"no word of {owner} by {signed.scheme.name} for 0x{digest.hex()}"
            raise _refuse(RefusalCode.NOT_SIGNED, found, "the owner's word")

    async def _look(self, resting: OpenOrder) -> Look:
        if resting.signed.scheme is Scheme.ERC1271:
            async with self._wallets:
                return (await self._read([resting]))[0]
        future: asyncio.Future[Look] = asyncio.get_running_loop().create_future()
        self._waiting.append((resting, future))
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look_at_all())
        return await future

    async def _look_at_all(self) -> None:
        """Answer all that wait, and those that come meanwhile."""
        while self._waiting:
            batch, self._waiting = self._waiting[:_MOST_AT_ONCE], self._waiting[_MOST_AT_ONCE:]
            futures = [future for _, future in batch]
            try:
                looks = await self._read([resting for resting, _ in batch])
                for future, look in zip(futures, looks, strict=True):
                    if not future.done():
                        future.set_result(look)
            except OnchainExecError as error:
                for future in futures:
                    if not future.done():
                        future.set_exception(error)
            finally:
                for future in futures:
                    future.cancel()  # nobody waits for ever, whatever happened

    async def _read(self, orders: list[OpenOrder]) -> list[Look]:
        block = await self._node.get_block()
        found = await self._node.perform(read_verified(self.domain, orders), block)
        return [(verdict, block) for verdict in found]


def _require_paid(found: Verified, least: int) -> None:
    order = found.resting.order
    if found.unfilled < least:
        raise _refuse(RefusalCode.USED_UP, f"{found.unfilled} left to fill", f"{least}")
    if found.remaining >= least:
        return
    needed = f"{-(-order.amount_in * least // order.size)} for {least} of the order"
    if found.balance <= found.allowance:
        raise _refuse(RefusalCode.BALANCE_SHORT, f"{found.balance} of {order.token_in}", needed)
    raise _refuse(RefusalCode.ALLOWANCE_SHORT, f"{found.allowance} of {order.token_in} allowed", needed)


def _refuse(code: RefusalCode, found: str, needed: str) -> OrderRefusedError:
    return OrderRefusedError(code.value, found, needed=needed, todo=_ADVICE[code])
