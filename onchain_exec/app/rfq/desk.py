"""The taker's side of requests for quotes: ask, collect, pick, settle."""

from __future__ import annotations

import asyncio
import uuid
import weakref
from fractions import Fraction
from typing import Final

from onchain_exec.app.engine import Lane
from onchain_exec.app.path.run import require_signer
from onchain_exec.app.rfq.offer import Offer, make_offer
from onchain_exec.app.rfq.request import QuoteRequest, Wish
from onchain_exec.app.rfq.rounds import Round, Rounds
from onchain_exec.app.rfq.settling import find_settled, settle
from onchain_exec.app.signed_book import Verifier
from onchain_exec.chain import TxCall
from onchain_exec.clearing.settle import Scheme, SettleOrder, Signed
from onchain_exec.clearing.settle.order_book import OpenOrder
from onchain_exec.clearing.settle.verification import IS_VALID_SIGNATURE
from onchain_exec.core import BlockRef, Exact, Token
from onchain_exec.errors import (
    DuplicateOrderError,
    OrderRefusedError,
    RevertError,
    StateError,
    UnknownOrderError,
)
from onchain_exec.oms import OrderView
from onchain_exec.oms.signed_book import SignedBook

_TAKE_GAS: Final = 75_000
"""Of a quote by a key, measured; a wallet's code comes on top."""
_TX_GAS: Final = 21_000
_TIP_WEI: Final = 10**9


class QuoteDesk:
    """Requests of a desk's account, as long as they last; what is settled is in the journal, under the
    request's id as client order id. Only listed tokens are asked for."""

    def __init__(self, lane: Lane, verifier: Verifier, book: SignedBook) -> None:
        self.rounds = Rounds()
        self._lane, self._context, self._verifier, self._book = lane, lane.context, verifier, book
        self._contract = verifier.domain.contract
        self._taking: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()

    async def ask(self, wish: Wish) -> QuoteRequest:
        """Ask makers for quotes; the same id and terms again are the same request.

        Raises:
            InputError: a token or amount that cannot be used.
            DuplicateOrderError: the id is taken by other terms, or by an order of the journal.
            OrderRefusedError: a token that is not listed, or too many requests.
        """
        request = await self._make_request(wish)
        if self._context.journal.find_order(request.request_id) is not None:
            raise DuplicateOrderError(
                f"{request.request_id!r} names an order of the journal",
                needed="an id of its own",
                todo="GET /rfq/{id} shows what became of it",
            )
        return self.rounds.open(request, self._now())

    def list_open(self) -> tuple[QuoteRequest, ...]:
        """Return the requests that quotes are taken for."""
        return self.rounds.list_open(self._now())

    async def offer(self, request_id: str, order: SettleOrder, signed: Signed) -> Offer:
        """Take in a maker's answer, verified on the newest block, in the place of its earlier one.

        Raises:
            UnknownOrderError: no such request.
            OrderRefusedError: it is no answer (`make_offer`), withdrawn from the book, not signed or paid for
                (`Verifier.verify`), or not welcome (`Round.require_welcome`).
        """
        turn = self.rounds.require(request_id)
        resting = OpenOrder(self._verifier.domain.get_digest(order), order, signed)
        if await self._is_off_the_book(resting.digest):
            raise OrderRefusedError("withdrawn", "its owner took it off the book", needed="another order")
        offer = make_offer(turn.request, resting, _TAKE_GAS, self._contract, self._now())
        turn.require_welcome(offer)
        await self._verifier.verify(resting, offer.counted)
        gas = _TAKE_GAS + await self._estimate_wallet_gas(resting)
        offer = make_offer(turn.request, resting, gas, self._contract, self._now())
        turn.put(offer)
        return offer

    async def withdraw(self, request_id: str, digest: bytes, signed: Signed) -> None:
        """Take an offer back, on its maker's signed word for its withdrawal.

        Raises:
            UnknownOrderError: no such request or offer.
            OrderRefusedError: the word is not the maker's, or the offer is being settled.
        """
        turn = self.rounds.require(request_id)
        offer = turn.find(digest)
        wanted = self._verifier.domain.get_withdrawal_digest(digest)
        await self._verifier.require_word(offer.resting.order.owner, wanted, signed)
        turn.withdraw(offer)

    async def take(self, request_id: str, digest: bytes | None = None) -> OrderView:
        """Settle the best offer, or the one named; return the order as the journal holds it. Once it is in
        the journal, again is the same order. Never another offer than the one picked: what fails is told.

        Raises:
            UnknownOrderError: no such request or offer.
            OrderRefusedError: there is no offer (``no_quote``), it is too late (``late``), or the offer
                cannot be settled any more: it is dropped, and nothing was signed.
            OnchainExecError: what failed before anything was signed; the journal has a line of it.
        """
        lock = self._taking.get(request_id) or asyncio.Lock()
        self._taking[request_id] = lock
        async with lock:
            if (settled := await find_settled(self._context, request_id)) is not None:
                return settled
            turn = self.rounds.require(request_id)
            return await self._settle(turn, self._pick(turn, digest))

    async def _settle(self, turn: Round, offer: Offer) -> OrderView:
        try:
            _, block = await self._verifier.verify(offer.resting, offer.counted)
        except OrderRefusedError:
            turn.drop(offer)
            raise
        digest = offer.resting.digest
        if await self._is_off_the_book(digest) or digest in turn.withdrawn:
            turn.drop(offer)
            raise UnknownOrderError(f"the offer 0x{digest.hex()} was withdrawn meanwhile")
        turn.taken = digest
        try:
            return await settle(self._context, offer, self._contract, block)
        finally:
            if self._context.journal.find_order(turn.request.request_id) is None:
                turn.taken = None

    async def _is_off_the_book(self, digest: bytes) -> bool:
        known = await asyncio.to_thread(self._book.find, digest)
        return known is not None and known.withdrawn

    def _pick(self, turn: Round, digest: bytes | None) -> Offer:
        now, until = self._now(), turn.request.settle_by
        if now > until:
            raise OrderRefusedError("late", f"second {now}", needed=f"at most {until}", todo="Ask anew")
        if digest is not None:
            return turn.find(digest)
        ranked = turn.rank()
        if not ranked:
            raise OrderRefusedError("no_quote", "no maker has answered", needed="an offer", todo="Ask anew")
        return ranked[0]

    async def _make_request(self, wish: Wish) -> QuoteRequest:
        trade, context = wish.trade, self._context
        trade.require_sound()
        token_in, token_out = await self._lane.path.find_tokens(trade.sell, trade.buy)
        for token in (token_in, token_out):
            if token not in context.profile.tokens.values():
                raise OrderRefusedError(
                    "token_not_listed", f"{token} at {token.address}", needed="a token that the chain lists"
                )
        block = await context.node.get_block()
        return QuoteRequest(
            request_id=trade.client_order_id or uuid.uuid4().hex,
            taker=require_signer(context).address,
            token_in=token_in,
            token_out=token_out,
            amount=trade.get_base_units(token_in, token_out),
            exact=trade.exact,
            expires_at=self._now() + wish.good_for_s,
            limit=wish.limit,
            gas_price=await self._price_gas(token_out if trade.exact is Exact.IN else token_in, block),
        )

    async def _price_gas(self, token: Token, block: BlockRef) -> Fraction:
        """Return base units of the token per unit of gas; 0 where no source tells."""
        native, price = self._context.profile.wrapped_native, Fraction(1)
        if token != native:
            if self._lane.prices is None:
                return Fraction()
            try:
                found = await self._lane.prices.read_price(native, token, block)
            except StateError:
                found = None
            price = found or Fraction()
        return price * (block.base_fee_wei + _TIP_WEI)

    async def _estimate_wallet_gas(self, resting: OpenOrder) -> int:
        """Return the gas of a wallet's own code, 0 for a key."""
        if resting.signed.scheme is not Scheme.ERC1271:
            return 0
        data = IS_VALID_SIGNATURE.encode(resting.digest, resting.signed.signature)
        call = TxCall(self._verifier.domain.contract, resting.order.owner, data)
        try:
            return max(0, await self._context.node.estimate_gas(call, "latest") - _TX_GAS)
        except RevertError as error:
            raise OrderRefusedError("not_signed", str(error), needed="the owner's word") from error

    def _now(self) -> int:
        return self._context.now()
