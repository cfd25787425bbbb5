"""The same desk for code that does not await: a thin face over `AsyncDesk` on a loop of its own."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self, Unpack

from onchain_exec.app.baskets import BasketQuote
from onchain_exec.app.configuration.registry import ChainProfile
from onchain_exec.app.desk import AsyncDesk, ignore
from onchain_exec.app.path.context import Observer, Policy
from onchain_exec.app.positions.accounts import ActionOptions
from onchain_exec.app.positions.watch import Care, PositionReport
from onchain_exec.app.prices import PairPrice
from onchain_exec.app.request import Amount, OrderOptions, Request
from onchain_exec.chain import Rpc
from onchain_exec.chain.loop_thread import LoopThread
from onchain_exec.core import Address, BlockRef, Exact
from onchain_exec.execution import Signer, SimulatedTx
from onchain_exec.oms import OrderView, Reconciliation
from onchain_exec.risk import Denied
from onchain_exec.risk.collateral import NO_LIMITS, CollateralLimits
from onchain_exec.risk.exposure import Exposure
from onchain_exec.routing import Quote
from onchain_exec.venues.collateral import CollateralAccount


class Desk:
    """`AsyncDesk` for synchronous code: the same methods, arguments, results and errors; only the steps of
    `submit` one by one (`continue_earlier`, `ask`, `prepare`) are for those who await."""

    def __init__(self, opening: Coroutine[Any, Any, AsyncDesk]) -> None:
        with ExitStack() as resources:
            self._loop = LoopThread("desk")
            resources.callback(self._loop.close)
            self._desk = self._loop.run(opening)
            resources.callback(lambda: self._loop.run(self._desk.close()))
            self._resources = resources.pop_all()

    @classmethod
    def connect(
        cls,
        rpc_url: str | Rpc,
        *,
        signer: Signer | None = None,
        journal: str | Path = "onchain-exec.sqlite",
        policy: Policy | None = None,
        profile: ChainProfile | None = None,
        observe: Observer = ignore,
    ) -> Self:
        """Open a desk on the chain behind ``rpc_url``; see `AsyncDesk.connect`."""
        return cls(
            AsyncDesk.connect(
                rpc_url, signer=signer, journal=journal, policy=policy, profile=profile, observe=observe
            )
        )

    @classmethod
    def local(
        cls, *, journal: str | Path | None = None, policy: Policy | None = None, observe: Observer = ignore
    ) -> Self:
        """Open a desk on a local chain of its own, with the real protocols and a funded trader."""
        return cls(AsyncDesk.local(journal=journal, policy=policy, observe=observe))

    @classmethod
    def from_env(cls, **arguments: Any) -> Self:
        """Open a desk from the configuration; see `AsyncDesk.from_env`."""
        return cls(AsyncDesk.from_env(**arguments))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close connections and journal, and end the local chain if this desk started one."""
        self._resources.close()

    @property
    def profile(self) -> ChainProfile:
        """The chain this desk trades on: its listed tokens and protocols."""
        return self._desk.profile

    def quote(
        self,
        sell: str,
        buy: str,
        amount: Amount | None = None,
        *,
        amount_base_units: int | None = None,
        exact: Exact = Exact.IN,
        max_slippage_bps: int | None = None,
    ) -> Quote:
        """See `AsyncDesk.quote`."""
        return self._loop.run(
            self._desk.quote(
                sell,
                buy,
                amount,
                amount_base_units=amount_base_units,
                exact=exact,
                max_slippage_bps=max_slippage_bps,
            )
        )

    def quote_basket(self, sold: Mapping[str, Amount], buy: str, *, max_slippage_bps: int) -> BasketQuote:
        """See `AsyncDesk.quote_basket`."""
        return self._loop.run(self._desk.quote_basket(sold, buy, max_slippage_bps=max_slippage_bps))

    def expose(self, request: Request) -> Exposure:
        """See `AsyncDesk.expose`."""
        return self._loop.run(self._desk.expose(request))

    def price(self, sell: str, buy: str) -> PairPrice:
        """See `AsyncDesk.price`."""
        return self._loop.run(self._desk.price(sell, buy))

    def sell(
        self, sell: str, amount: Amount | None = None, *, buy: str, **options: Unpack[OrderOptions]
    ) -> OrderView:
        """See `AsyncDesk.sell`."""
        return self._loop.run(self._desk.sell(sell, amount, buy=buy, **options))

    def buy(
        self, buy: str, amount: Amount | None = None, *, sell: str, **options: Unpack[OrderOptions]
    ) -> OrderView:
        """See `AsyncDesk.buy`."""
        return self._loop.run(self._desk.buy(buy, amount, sell=sell, **options))

    def submit(self, request: Request) -> OrderView:
        """See `AsyncDesk.submit`."""
        return self._loop.run(self._desk.submit(request))

    def submit_all(self, *trades: Request, client_order_id: str | None = None) -> OrderView:
        """See `AsyncDesk.submit_all`."""
        return self._loop.run(self._desk.submit_all(*trades, client_order_id=client_order_id))

    def execute(self, quote: Quote) -> OrderView:
        """See `AsyncDesk.execute`."""
        return self._loop.run(self._desk.execute(quote))

    def plan(self, quote: Quote) -> SimulatedTx | Denied:
        """See `AsyncDesk.plan`."""
        return self._loop.run(self._desk.plan(quote))

    def orders(self) -> tuple[OrderView, ...]:
        """See `AsyncDesk.orders`."""
        return self._loop.run(self._desk.orders())

    def order(self, name: str) -> OrderView:
        """See `AsyncDesk.order`."""
        return self._loop.run(self._desk.order(name))

    def cancel(self, name: str) -> OrderView:
        """See `AsyncDesk.cancel`."""
        return self._loop.run(self._desk.cancel(name))

    def reconcile(self, since: BlockRef | None = None) -> Reconciliation:
        """See `AsyncDesk.reconcile`."""
        return self._loop.run(self._desk.reconcile(since))

    def revoke(self, token: Address, spender: Address) -> tuple[OrderView, ...]:
        """See `AsyncDesk.revoke`."""
        return self._loop.run(self._desk.revoke(token, spender))

    def account(self, venue: str, *tokens: str) -> CollateralAccount[Any]:
        """See `AsyncDesk.account`."""
        return self._loop.run(self._desk.account(venue, *tokens))

    def perform(self, venue: str, *actions: Any, **options: Unpack[ActionOptions]) -> OrderView:
        """See `AsyncDesk.perform`."""
        return self._loop.run(self._desk.perform(venue, *actions, **options))

    def collateral(
        self, *venues: str, owner: Address | None = None, limits: CollateralLimits = NO_LIMITS
    ) -> tuple[PositionReport, ...]:
        """See `AsyncDesk.collateral`."""
        return self._loop.run(self._desk.collateral(*venues, owner=owner, limits=limits))

    def take_care(self, care: Care, client_order_id: str | None = None) -> OrderView | None:
        """See `AsyncDesk.take_care`."""
        return self._loop.run(self._desk.take_care(care, client_order_id))

    def recover(self) -> None:
        """See `AsyncDesk.recover`."""
        self._loop.run(self._desk.recover())
