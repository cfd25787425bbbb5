"""A market on a simulated chain whose contract is a function, and the path of an order through it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

from oms.builders import CHAIN_ID, KEEPER, USDC, WETH, make_quote, make_transfer

from onchain_exec.chain import Node
from onchain_exec.core import Address, BlockRef, Order, Token, to_address
from onchain_exec.errors import RevertError, UnknownTokenError
from onchain_exec.execution import Fees, Purpose, Signer, SimulatedTx, TxPlan, read_fees
from onchain_exec.risk import AccountState, Approved, DenialCode, Denied
from onchain_exec.routing import Quote
from onchain_exec.testing.lying_node import PoolTx
from onchain_exec.testing.simulated import Execution, SimulatedChain
from onchain_exec.testing.simulated.chain import Block
from onchain_exec.venues.erc20 import APPROVE

MARKET = to_address("0x" + "33" * 20)
GAS = 120_000
TOKENS = {token.symbol: token for token in (WETH, USDC)}


class PaperMarket:
    """Sells WETH for USDC at ``price_at(block number)``, against an allowance of exactly what is sold
    (or, with ``is_trusted``, against one without end)."""

    def __init__(self, price_at: Callable[[int], int], *, is_trusted: bool = False) -> None:
        self.price_at, self._is_trusted = price_at, is_trusted

    def get_allowance(self, state: dict[str, int], account: Address) -> int:
        """Return what the market may pull of the account's WETH."""
        return 10**30 if self._is_trusted else state.get(f"allowance/{account}", 0)

    def get_amount_out(self, amount: int, number: int) -> int:
        """Return USDC base units for WETH base units, rounded down."""
        return amount * self.price_at(number) * 10**6 // 10**18

    def run(self, tx: PoolTx, block: Block, state: dict[str, int]) -> Execution:
        """The contract: ``approve`` when the token is called, a swap when the market is."""
        owner = f"allowance/{tx.sender}"
        if tx.to == WETH.address:
            _, amount = APPROVE.decode_arguments(tx.data)
            return Execution(True, state | {owner: amount}, gas_used=46_000)
        if tx.to != MARKET:
            return Execution(True, state)
        amount, amount_out_min, deadline = (int.from_bytes(tx.data[i : i + 32]) for i in (0, 32, 64))
        amount_out = self.get_amount_out(amount, block.number)
        left = self.get_allowance(state, tx.sender) - amount
        if left < 0 or block.timestamp > deadline or amount_out < amount_out_min:
            return Execution(False, state, gas_used=60_000)
        logs = (
            make_transfer(WETH, tx.sender, KEEPER, amount),
            make_transfer(USDC, KEEPER, tx.sender, amount_out),
        )
        return Execution(True, state | {owner: left}, logs, GAS)


class PaperPath:
    """Quotes, checks and builds as a desk does, with the market's price instead of pools."""

    def __init__(self, node: Node, chain: SimulatedChain, market: PaperMarket) -> None:
        self._node, self._chain, self._market = node, chain, market

    async def find_tokens(self, sell: str, buy: str) -> tuple[Token, Token]:
        try:
            return TOKENS[sell], TOKENS[buy]
        except KeyError as error:
            raise UnknownTokenError(f"no token {error}", needed="WETH or USDC") from error

    async def quote(self, order: Order, block: BlockRef) -> Quote:
        amount_out = self._market.get_amount_out(order.amount, block.number)
        quote = make_quote(order, amount_out, block)
        return replace(quote, mid_price=Fraction(amount_out, order.amount), made_at=block.timestamp)

    async def check(self, quote: Quote) -> Approved | Denied:
        await self._node.require_canonical(quote.block)
        if quote.order.amount > 10**24:
            return Denied(quote.order, DenialCode.BALANCE_BELOW_AMOUNT, "less", "more", "Fund it")
        order = quote.order
        return Approved(quote, AccountState(quote.block, order.account, 10**30, 10**30, MARKET, 0))

    async def build(self, approved: Approved, signer: Signer) -> SimulatedTx:
        quote, order = approved.quote, approved.quote.order
        head = await self._node.get_block()
        fees = await read_fees(self._node, head)
        if self._market.get_amount_out(order.amount, head.number + 1) < quote.amount_out_min:
            raise RevertError("TooLittleReceived", (), b"")
        words = (order.amount, quote.amount_out_min, order.expires_at)
        data = b"".join(word.to_bytes(32) for word in words) + order.order_id.encode()
        before: tuple[TxPlan, ...] = ()
        if self._market.get_allowance(self._chain.head.state, order.account) < order.amount:
            approval = APPROVE.encode(MARKET, order.amount)
            before = (self._plan(approved, head, Purpose.ALLOWANCE, approval, fees),)
        plan = replace(self._plan(approved, head, Purpose.SWAP, data, fees), depends_on=before)
        return prove(plan, tuple(prove(step) for step in before))

    async def prove(self, plan: TxPlan) -> SimulatedTx:
        return prove(plan)

    def _plan(self, cause: Approved, block: BlockRef, purpose: Purpose, data: bytes, fees: Fees) -> TxPlan:
        to = WETH.address if purpose is Purpose.ALLOWANCE else MARKET
        return TxPlan(cause, block, purpose, cause.account.owner, to, data, 0, fees)


def read_swap(tx: PoolTx) -> tuple[str, int]:
    """Return the id of the order that a swap is of, and what it sells."""
    return tx.data[96:].decode(), int.from_bytes(tx.data[:32])


def prove(plan: TxPlan, before: tuple[SimulatedTx, ...] = ()) -> SimulatedTx:
    """Return the proof of a plan that this market would run."""
    return SimulatedTx(plan, plan.block, GAS, 200_000, 0, 0, 0, (), before)


assert WETH.chain_id == CHAIN_ID
