"""The desk: what a bot holds. Quotes, orders, and their record, against one chain."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self, Unpack

from onchain_exec.app.approvals import find_approvals, pick_approvals, prepare_revocations, revoke
from onchain_exec.app.baskets import BasketQuote, quote_basket
from onchain_exec.app.configuration.journals import find_order
from onchain_exec.app.configuration.opening import Opening
from onchain_exec.app.configuration.registry import ChainProfile
from onchain_exec.app.configuration.settings import load_settings
from onchain_exec.app.configuration.tokens import read_named_token
from onchain_exec.app.path.bounds import read_exposure
from onchain_exec.app.path.context import Context, Observer, Policy, Step
from onchain_exec.app.path.market import read_tokens
from onchain_exec.app.path.recover import resume_all, run_to_end
from onchain_exec.app.path.routers import list_executable
from onchain_exec.app.path.run import prepare, quote_order, require_signer
from onchain_exec.app.pools.discovery import find_pools
from onchain_exec.app.positions.accounts import ActionOptions, ActionRequest, perform
from onchain_exec.app.positions.reads import read_position
from onchain_exec.app.positions.watch import Care, PositionReport, look, take_care
from onchain_exec.app.prices import PairPrice, read_pair_price
from onchain_exec.app.request import Amount, OrderOptions, Request
from onchain_exec.app.together import continue_together, trade_together
from onchain_exec.chain import Rpc
from onchain_exec.core import ZERO_ADDRESS, Address, BlockRef, Exact, Order, Token, all_of
from onchain_exec.errors import DuplicateOrderError, InputError, OnchainExecError
from onchain_exec.execution import LocalSigner, Signer, SimulatedTx
from onchain_exec.oms import OrderState, OrderView, Reconciliation, reconcile
from onchain_exec.risk import Denied
from onchain_exec.risk.collateral import NO_LIMITS, CollateralLimits
from onchain_exec.risk.exposure import Exposure
from onchain_exec.routing import Quote
from onchain_exec.venues.collateral import CollateralAccount


def ignore(step: Step, made: object) -> None:
    """The observer of a desk that nobody watches."""


class AsyncDesk:
    """A trading desk on one chain; open it with `connect`, `local` or `from_env`, and close it, or
    use it as an async context manager."""

    def __init__(self, context: Context, resources: AsyncExitStack) -> None:
        self._context = context
        self._resources = resources

    @classmethod
    async def connect(
        cls,
        rpc_url: str | Rpc,
        *,
        signer: Signer | None = None,
        journal: str | Path = "onchain-exec.sqlite",
        policy: Policy | None = None,
        profile: ChainProfile | None = None,
        observe: Observer = ignore,
    ) -> Self:
        """Open a desk on the chain behind ``rpc_url``: one URL, or several apart by spaces, which
        then stand in for one another (see `parse_endpoints` for the roles they may have), or a pool
        with limits and a policy of its own (`chain.open_pool`), which the desk then closes.

        ``profile`` names the chain's tokens and protocols; None takes it from the data file by the
        chain id that the node tells. Without a signer the desk quotes and reads, and cannot trade.

        Raises:
            NodeUnreachableError: the node does not answer.
            WrongChainError: it serves another chain than ``profile``.
            ConfigError: the chain is not known and no profile is given.
            JournalError: the journal cannot be used.
        """
        return await cls._open(
            Opening(rpc_url, lambda chain_id: signer, journal, policy or Policy(), observe, profile)
        )

    @classmethod
    async def local(
        cls, *, journal: str | Path | None = None, policy: Policy | None = None, observe: Observer = ignore
    ) -> Self:
        """Open a desk on a local chain of its own, with the real protocols deployed and a funded
        trader as signer. The chain ends with the desk; a journal that is not named ends with it too.

        Raises:
            MissingToolError: anvil or the protocols' packages are not installed.
        """
        from onchain_exec.app.sandbox.sandbox import Sandbox  # noqa: PLC0415 - only local chains need it

        async with AsyncExitStack() as resources:
            folder = resources.enter_context(TemporaryDirectory(prefix="onchain-exec-"))
            sandbox = resources.enter_context(await asyncio.to_thread(Sandbox.start))
            opening = Opening(
                sandbox.url,
                lambda chain_id: LocalSigner(sandbox.trader.key, chain_id=chain_id),
                journal or Path(folder, "journal.sqlite"),
                policy or Policy(),
                observe,
                sandbox.profile,
            )
            context = await opening.open(resources)
            return cls(context, resources.pop_all())

    @classmethod
    async def from_env(cls, *, observe: Observer = ignore, read_only: bool = False, **arguments: Any) -> Self:
        """Open a desk from the configuration: ``arguments`` (the names of `Settings`), environment,
        ``.env``, ``onchain-exec.toml``. ``read_only`` leaves the signer out.

        Raises:
            ConfigError: a setting is missing, cannot be read, or contradicts another.
            NodeError, JournalError: as for `connect`.
        """
        return await cls._open(Opening.configured(load_settings(**arguments), observe, read_only=read_only))

    @classmethod
    async def _open(cls, opening: Opening) -> Self:
        async with AsyncExitStack() as resources:
            return cls(await opening.open(resources), resources.pop_all())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close connections and journal, and end the local chain if this desk started one."""
        await self._resources.aclose()

    @property
    def profile(self) -> ChainProfile:
        """The chain this desk trades on: its listed tokens and protocols."""
        return self._context.profile

    async def quote(
        self,
        sell: str,
        buy: str,
        amount: Amount | None = None,
        *,
        amount_base_units: int | None = None,
        exact: Exact = Exact.IN,
        max_slippage_bps: int | None = None,
    ) -> Quote:
        """Return the best route over every known pool at the newest block, with its costs and bounds.

        ``sell`` and ``buy`` are listed symbols or token addresses. ``amount`` is whole tokens as text
        or Decimal (or ``amount_base_units`` an int) of ``sell`` for Exact.IN, of ``buy`` for
        Exact.OUT. ``max_slippage_bps`` sets the quote's ``amount_out_min`` or ``amount_in_max``;
        without it they are as tight as the price's own moves and sandwiches ask for, at most the
        policy's ``max_slippage_bps``, and ``tolerance`` says why.

        Raises:
            InputError: a token or amount that cannot be used.
            StateError: no pool or route, or a token that is refused.
            NodeError: the node fails.
        """
        return await self.ask(Request(sell, buy, amount, amount_base_units, exact, max_slippage_bps))

    async def quote_basket(
        self, sold: Mapping[str, Amount], buy: str, *, max_slippage_bps: int
    ) -> BasketQuote:
        """Return the best route that sells several tokens of the account at once, and the call that runs it;
        see `baskets.quote_basket`. The account gives the allowances and sends the call itself."""
        recipient = require_signer(self._context).address
        return await quote_basket(self._context, sold, buy, recipient, max_slippage_bps)

    async def expose(self, request: Request) -> Exposure:
        """Return what others can take of a trade that they see before it is mined: by a sandwich under its
        bound, by arbitrage after it, by its being late.

        Raises:
            InputError, StateError, NodeError: as for `quote`.
        """
        return await read_exposure(self._context, await self.ask(request))

    async def price(self, sell: str, buy: str) -> PairPrice:
        """Return what ``sell`` is worth in ``buy`` at the newest block, by every source of its own: pools
        of the pair, means of its v3 pools, feeds. Base units per base unit.

        Raises:
            InputError, StateError, NodeError: as for `quote`.
        """
        context = self._context
        block = await context.node.get_block("latest")
        pair = await read_tokens(context, block, sell, buy)
        if pair[0] == pair[1]:
            raise InputError(f"{pair[0]} is priced in itself", needed="two different tokens")
        pools = await find_pools(
            context.node, context.profile, [pair], block, list_executable(context.profile)
        )
        max_age_s = context.policy.limits.max_price_age_s
        return await read_pair_price(context.node, context.profile, pair, pools, block, max_age_s)

    async def sell(
        self, sell: str, amount: Amount | None = None, *, buy: str, **options: Unpack[OrderOptions]
    ) -> OrderView:
        """Sell exactly ``amount`` for at least the quoted output less the slippage; see `submit`."""
        return await self.submit(Request(sell, buy, amount, exact=Exact.IN, **options))

    async def buy(
        self, buy: str, amount: Amount | None = None, *, sell: str, **options: Unpack[OrderOptions]
    ) -> OrderView:
        """Buy exactly ``amount`` for at most the quoted input plus the slippage; see `submit`."""
        return await self.submit(Request(sell, buy, amount, exact=Exact.OUT, **options))

    async def submit_all(self, *trades: Request, client_order_id: str | None = None) -> OrderView:
        """Make several trades in one transaction, all or nothing, where that takes less gas; see
        `app.together`. The order that comes back is an action whose calls they are; its ``call_moves`` are
        what each of them moved. Its client order id is idempotent, those of the trades are not used.

        Raises:
            DuplicateOrderError: the id is taken by an order that does something else.
            UnsupportedOrderError: one transaction for each takes less gas.
            ConfigError: the chain has no Guard.
            OnchainExecError: what failed before anything was signed; the journal has a line of it.
        """
        earlier = await continue_together(self._context, trades, client_order_id)
        if earlier is not None:
            return earlier
        return await trade_together(
            self._context, [await self.prepare(trade) for trade in trades], client_order_id
        )

    async def submit(self, request: Request) -> OrderView:
        """Trade: quote, check, build, simulate, sign, journal, send, wait; return the order.

        With a ``client_order_id`` the call is idempotent: the same id again continues or reports
        that order, never a second one. A denial or a reverted transaction is a state of the order;
        WORKING means that its outcome is not known yet.

        ``conditions`` must hold after the swap, or it reverts on chain: it goes through our Router,
        which asks for them in the same transaction. If they would not hold on the newest block, before
        anything is signed, the order is DENIED (CONDITION_FAILED).

        Raises:
            DuplicateOrderError: the id is taken by an order with other terms.
            UnsupportedOrderError: it has conditions, and the profile lists no Router of ours.
            OnchainExecError: what failed before anything was signed; the journal has a line of it.
        """
        earlier = await self.continue_earlier(request)
        return earlier or await self.execute(await self.prepare(request))

    async def continue_earlier(self, request: Request) -> OrderView | None:
        """Return the order that has the request's client order id, continued if it was open.

        Raises:
            DuplicateOrderError: the id is taken by an order with other terms.
        """
        context = self._context
        earlier = context.journal.find_order(request.client_order_id) if request.client_order_id else None
        if earlier is None:
            return None
        await self._require_same(earlier, request)
        if earlier.order_id in {view.order_id for view in context.journal.read_open().orders}:
            await resume_all(context)
        return context.journal.read_order(earlier.order_id)

    async def ask(self, request: Request) -> Quote:
        """Return the quote of a request; see `quote`."""
        request.require_sound()
        context = self._context
        block = await context.node.get_block("latest")
        token_in, token_out = await read_tokens(context, block, request.sell, request.buy)
        order = self._make_order(request, block, token_in, token_out)
        return await quote_order(context, order, block, bound_given=request.max_slippage_bps is not None)

    async def prepare(self, request: Request) -> Quote:
        """Return the quote of a request that is meant to be traded; what fails gets a journal line."""
        require_signer(self._context)
        try:
            return await self.ask(request)
        except OnchainExecError as error:
            self._context.journal.append_failure(uuid.uuid4().hex, error)
            raise

    async def plan(self, quote: Quote) -> SimulatedTx | Denied:
        """Return what `execute` would sign, built and simulated, or why it would refuse. Nothing is
        journalled, signed or sent."""
        require_signer(self._context)
        return await prepare(self._context, quote)

    async def execute(self, quote: Quote) -> OrderView:
        """Trade on a quote, with its own bounds; see `submit` for what comes back.

        Raises:
            StaleStateError: the quote is older than the policy allows or its block has left the
                chain. It is never quoted again silently.
        """
        require_signer(self._context)
        return await run_to_end(self._context, quote)

    async def orders(self) -> tuple[OrderView, ...]:
        """Return every order of the journal, the oldest first, as last recorded."""
        return self._context.journal.read_orders()

    async def order(self, name: str) -> OrderView:
        """Return one order by its id, client order id, or transaction hash.

        Raises:
            InputError: no such order, or several.
        """
        return find_order(self._context.journal, name)

    async def reconcile(self, since: BlockRef | None = None) -> Reconciliation:
        """Compare the journal with the chain at the newest block and append what it corrects.

        Reads only: nothing is sent. Running it twice changes nothing. With ``since``, the block of an
        earlier one, balances must have moved as the journal says, too.
        """
        return await reconcile(self._context.node, self._context.journal, since=since)

    async def revoke(self, token: Address, spender: Address) -> tuple[OrderView, ...]:
        """Take back what ``spender`` may pull of the account's ``token``, at the token and through
        Permit2; return the revocations as orders of their own.

        Raises:
            InputError: it may pull nothing.
        """
        context, account = self._context, require_signer(self._context).address
        block = await context.node.get_block("latest")
        pair = (token, spender)
        found = await find_approvals(context.node, context.profile, account, block, named=[pair])
        picked = pick_approvals(found, token, spender)
        fee_budget = context.policy.max_fee_wei
        return await revoke(
            context, await prepare_revocations(context.node, context.profile, picked, block, fee_budget)
        )

    async def account(self, venue: str, *tokens: str) -> CollateralAccount[Any]:
        """Return the desk's account at a venue (``aave_v3``, or ``aave_v3:POOL``) at the newest block. Ask it
        what would become of it: `after` an action, `at_price`, `at_time`. ``tokens`` are read besides
        those it uses.

        Raises:
            InputError, ConfigError: the venue is not known, or the chain does not list it.
        """
        context = self._context
        block = await context.node.get_block("latest")
        named = all_of([read_named_token(context.profile, token) for token in tokens])
        found = await context.node.perform(named, block) if tokens else ()
        addresses = [token.address for token in found]
        return await read_position(context, venue, require_signer(context).address, block, addresses)

    async def perform(self, venue: str, *actions: Any, **options: Unpack[ActionOptions]) -> OrderView:
        """Act at a venue as the account itself: all ``actions`` or none; see `positions.perform`.

        ``limits`` are checked on the mirror's preview before anything is signed; ``guards`` hold inside
        the transaction, or it reverts and the order is FAILED.
        """
        return await perform(self._context, ActionRequest(venue, actions, **options))

    async def collateral(
        self, *venues: str, owner: Address | None = None, limits: CollateralLimits = NO_LIMITS
    ) -> tuple[PositionReport, ...]:
        """Return how near liquidation the account (or ``owner``'s) is at ``venues`` (none: at every one that
        the chain lists), and which ``limits`` it does not keep, at the newest block."""
        return await look(self._context, owner or require_signer(self._context).address, limits, venues)

    async def take_care(self, care: Care, client_order_id: str | None = None) -> OrderView | None:
        """Top up, reduce or close if the account comes too near; see `positions.watch.take_care`."""
        return await take_care(self._context, care, client_order_id)

    async def cancel(self, name: str) -> OrderView:
        """Cancel an order, named as for `order`: at once if nothing of it is signed, else by a transaction
        that competes for its nonce, or for its intent's lane; wait, as `recover` does, and return the order.
        It may be FILLED instead, and is CANCEL_PENDING while nobody knows. One that has ended stays as it is.

        Raises:
            InputError: no such order, or several.
        """
        require_signer(self._context)
        order_id = find_order(self._context.journal, name).order_id
        self._context.journal.append_cancel(order_id)
        if self._context.journal.read_order(order_id).state is OrderState.CANCEL_PENDING:
            await resume_all(self._context)
        return self._context.journal.read_order(order_id)

    async def recover(self) -> None:
        """Continue every order that a stop left open: look up first, then send the same bytes again."""
        await resume_all(self._context)

    async def _require_same(self, earlier: OrderView, request: Request) -> None:
        request.require_sound()
        block = await self._context.node.get_block("latest")
        token_in, token_out = await read_tokens(self._context, block, request.sell, request.buy)
        terms = request.exact, request.get_base_units(token_in, token_out), tuple(request.conditions)
        order = earlier.order
        if order is None or (token_in, token_out, *terms) != (
            order.token_in, order.token_out, order.exact, order.amount, order.conditions
        ):  # fmt: skip
            raise DuplicateOrderError(
                f"client order id {request.client_order_id!r} belongs to an order with other terms",
                needed="the same tokens, amount and conditions",
                todo="An id names one order for ever; take a new id for a new order",
            )

    def _make_order(self, request: Request, block: BlockRef, token_in: Token, token_out: Token) -> Order:
        context = self._context
        order_id = uuid.uuid4().hex
        account = context.signer.address if context.signer else ZERO_ADDRESS
        slippage = request.max_slippage_bps
        return Order(
            order_id=order_id,
            client_order_id=request.client_order_id or order_id,
            account=account,
            recipient=account,
            token_in=token_in,
            token_out=token_out,
            amount=request.get_base_units(token_in, token_out),
            exact=request.exact,
            max_slippage_bps=context.policy.max_slippage_bps if slippage is None else slippage,
            # the chain's clock decides on chain, and a quiet local chain's head may lie far from ours
            expires_at=max(context.now(), block.timestamp) + context.policy.time_to_live_s,
            conditions=tuple(request.conditions),
        )
