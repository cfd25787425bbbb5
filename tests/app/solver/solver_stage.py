"""A sandbox with makers who sign in every way there is, their book, and a solver that settles it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from coincurve import PrivateKey

from onchain_exec import LocalSigner
from onchain_exec.app.configuration.opening import Opening
from onchain_exec.app.desk import ignore
from onchain_exec.app.path.context import Context, Observer, Policy
from onchain_exec.app.sandbox.chain_evm import ChainEvm
from onchain_exec.app.sandbox.erc20 import approve, get_balance
from onchain_exec.app.sandbox.sandbox import Sandbox
from onchain_exec.app.solver import Solver, SolverPolicy
from onchain_exec.app.solver.place import SolverPlace, find_place
from onchain_exec.chain import DevAccount
from onchain_exec.clearing.settle import Domain, Lane, Scheme, SettleOrder, Signed
from onchain_exec.clearing.settle.batch import encode_presign
from onchain_exec.clearing.settle.contract import LANE_OF
from onchain_exec.clearing.settle.order_book import OpenOrder
from onchain_exec.core import Address, Token
from onchain_exec.core.address import address_bytes
from onchain_exec.oms.signed_book import SignedBook

_SECOND_MAKER: Final = 2  # of the chain's accounts: the first deploys, the second trades
_HOLDS: Final = {"WETH": 100, "USDC": 300_000, "DAI": 300_000, "WBTC": 10}


@dataclass(frozen=True)
class Stage:
    """Three makers, by how they sign: with a key, by code (ERC-1271), by a word on chain."""

    sandbox: Sandbox
    journal: Path | str

    @property
    def domain(self) -> Domain:
        return Domain(self.sandbox.deployment.chain_id, self.contract("settle"))

    @property
    def evm(self) -> ChainEvm:
        return ChainEvm(self.sandbox.chain)

    @property
    def now(self) -> int:
        return int(self.sandbox.chain.request("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    def contract(self, role: str) -> Address:
        return self.sandbox.deployment.protocols["onchain_exec"][role]

    def token(self, symbol: str) -> Token:
        return self.sandbox.deployment.tokens[symbol]

    def maker(self, number: int) -> DevAccount:
        return self.sandbox.chain.accounts[_SECOND_MAKER + number]

    def prepare(self, makers: int = 3) -> None:
        """Fund the makers, and let the settlement take what they sell; the second is a contract: its key's
        code is lent by the Guard, which verifies for it."""
        for number in range(makers):
            owner = self.maker(number).address
            for symbol, amount in _HOLDS.items():
                token = self.token(symbol)
                self.sandbox.fund(owner, token, amount * 10**token.decimals)
                approve(self.evm, token, owner, self.domain.contract)
        code = b"\xef\x01\x00" + address_bytes(self.contract("guard"))
        self.evm.set_code(self.maker(1).address, code)

    def order(self, maker: int, sell: tuple[float, str], buy: tuple[float, str], **terms: Any) -> SettleOrder:
        """Return an order over whole tokens, for an hour."""
        (amount, sold), (least, bought) = sell, buy
        token_in, token_out = self.token(sold), self.token(bought)
        return SettleOrder(
            self.maker(maker).address,
            token_in.address,
            token_out.address,
            int(amount * 10**token_in.decimals),
            int(least * 10**token_out.decimals),
            **{"deadline_at": self.now + 3600, "seq": 1} | terms,
        )

    def sign(self, order: SettleOrder, scheme: Scheme = Scheme.ECDSA) -> OpenOrder:
        """Sign for the order's owner, the way that is asked for."""
        digest = self.domain.get_digest(order)
        account = next(one for one in self.sandbox.chain.accounts if one.address == order.owner)
        raw = PrivateKey(bytes.fromhex(account.key[2:])).sign_recoverable(digest, hasher=None)
        if scheme is Scheme.PRESIGN:
            self.evm.call(order.owner, self.domain.contract, encode_presign(order.lane, digest))
            return OpenOrder(digest, order, Signed(scheme))
        if scheme is Scheme.ERC1271:
            return OpenOrder(digest, order, Signed(scheme, raw[:64] + bytes([27 + raw[64]])))
        return OpenOrder(digest, order, Signed.by_key(raw))

    def lane(self, owner: Address, number: int = 0) -> Lane:
        answer = self.evm.static_call(self.domain.contract, LANE_OF.encode(owner, number))
        return Lane(*LANE_OF.decode(answer))

    def count_sent(self) -> int:
        """Return how many transactions of the solver's account are mined."""
        count = self.sandbox.chain.request("eth_getTransactionCount", self.sandbox.trader.address, "latest")
        return int(count, 16)

    def balances(self, *accounts: Address) -> dict[tuple[str, Address], int]:
        """Return what each account holds of every token, by symbol and account."""
        return {
            (symbol, account): get_balance(self.evm, self.token(symbol), account)
            for symbol in _HOLDS
            for account in accounts
        }

    @asynccontextmanager
    async def solving(
        self,
        policy: SolverPolicy | None = None,
        account: DevAccount | None = None,
        confirm_timeout_s: float = 60.0,
        observe: Observer = ignore,
    ) -> AsyncIterator[Solving]:
        """Open a solver; without an account it is its contract's owner's."""
        async with AsyncExitStack() as resources:
            key = (account or self.sandbox.trader).key
            opening = Opening(
                self.sandbox.url,
                lambda chain_id: LocalSigner(key, chain_id=chain_id),
                self.journal,
                Policy(confirm_timeout_s=confirm_timeout_s),
                observe,
                self.sandbox.profile,
            )
            context = await opening.open(resources)
            book = SignedBook.open(self.journal, self.domain)
            resources.callback(book.close)
            place = await find_place(context)
            yield Solving(context, place, book, Solver(context, place, book, policy or SolverPolicy()))


@dataclass(frozen=True)
class Solving:
    """A solver and what it works with."""

    context: Context
    place: SolverPlace
    book: SignedBook
    solver: Solver

    def rest(self, *orders: OpenOrder) -> None:
        """Put orders into the book, as its intake does once it has verified them."""
        for order in orders:
            self.book.add(order, Lane(), 0)
