"""One chain as the engine sees it: where to read and send, who signs, and how an order is built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from onchain_exec.app.path.context import Context
from onchain_exec.app.path.market import read_tokens
from onchain_exec.app.path.run import build, decide, quote_order
from onchain_exec.core import Address, BlockRef, Order, Token
from onchain_exec.execution import Signer, SimulatedTx, TxPlan, simulate
from onchain_exec.risk import Approved, Denied
from onchain_exec.routing import Quote


class PriceSource(Protocol):
    """What the market's price is, for orders that wait for one."""

    async def read_price(self, token_in: Token, token_out: Token, block: BlockRef) -> Fraction | None:
        """Return base units of ``token_out`` per base unit of ``token_in`` at ``block``; None: no source of
        the pair itself tells one, and the mid price of the order's own route counts."""
        ...


class Path(Protocol):
    """The steps from an order to a proven transaction; errors are those of `app.run`."""

    async def find_tokens(self, sell: str, buy: str) -> tuple[Token, Token]:
        """Return the tokens that symbols or addresses name."""
        ...

    async def quote(self, order: Order, block: BlockRef) -> Quote:
        """Return the order's quote at ``block``."""
        ...

    async def check(self, quote: Quote) -> Approved | Denied:
        """Return the verdict on a quote."""
        ...

    async def build(self, approved: Approved, signer: Signer) -> SimulatedTx | Denied:
        """Return the swap, simulated, with what it depends on; a denial if it breaks a condition."""
        ...

    async def prove(self, plan: TxPlan) -> SimulatedTx:
        """Return the proof of a plan that moves nothing."""
        ...


class DeskPath:
    """The path that a desk's orders take."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def find_tokens(self, sell: str, buy: str) -> tuple[Token, Token]:
        """Return listed tokens, or what stands at the addresses."""
        return await read_tokens(self._context, await self._context.node.get_block("latest"), sell, buy)

    async def quote(self, order: Order, block: BlockRef) -> Quote:
        """Return the best route's quote over every known pool of the venues that are not paused."""
        return await quote_order(self._context, order, block)

    async def check(self, quote: Quote) -> Approved | Denied:
        """Check a quote against the account and the limits."""
        return await decide(self._context, quote)

    async def build(self, approved: Approved, signer: Signer) -> SimulatedTx | Denied:
        """Build and simulate."""
        return await build(self._context, approved, signer)

    async def prove(self, plan: TxPlan) -> SimulatedTx:
        """Simulate."""
        return await simulate(self._context.node, plan, self._context.profile.gas_rules)


@dataclass(frozen=True, slots=True)
class Lane:
    """One chain of the engine. ``signers`` are those of its accounts, which the engine puts behind the
    journal's switches; without ``prices`` the mid price of an order's own route counts."""

    context: Context
    signers: Mapping[Address, Signer]
    path: Path
    prices: PriceSource | None = None

    @property
    def chain_id(self) -> int:
        """The chain."""
        return self.context.node.chain_id
