"""Reorgs of every depth and kind on a real chain: busted within one head, and exact to the wei after."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from eth_utils import keccak

from oms.builders import CHAIN_ID, TRANSFER, USDC, WETH, make_order, make_quote
from oms.paper_market import open_market, recipient_of, sign_gate, sign_raw, sign_swap
from onchain_exec.chain import DevAccount, LocalChain, LogFilter, Node
from onchain_exec.errors import FinalityError
from onchain_exec.execution.delivery.confirm import confirm
from onchain_exec.execution.delivery.send import send
from onchain_exec.execution.plan import DurableTx, Purpose
from onchain_exec.oms import Journal, OrderState, SlotKey, SlotState, reconcile, recover

NOW = 1_900_000_000
DEPTHS = (1, 2, 3, 7, 32, 64, 157)
FATES = ("dropped", "re-included", "re-included reverted", "reordered", "replaced by a stranger")
SHORT = (
    {(1, fate) for fate in FATES}
    | {(7, fate) for fate in FATES}
    | {(157, "dropped"), (64, "re-included reverted")}
)
CELLS = [
    pytest.param(depth, fate, id=f"{fate}-{depth}", marks=() if (depth, fate) in SHORT else pytest.mark.deep)
    for depth in DEPTHS
    for fate in FATES
]


@pytest.fixture
def chain() -> Iterator[LocalChain]:
    with LocalChain.start(chain_id=CHAIN_ID, accounts=10, extra=("--slots-in-an-epoch", "300")) as chain:
        open_market(chain)
        chain.mine(2)
        yield chain


@dataclass
class Desk:
    """Two traders' swaps in one journal, and what their accounts held before."""

    chain: LocalChain
    node: Node
    journal: Journal
    traders: tuple[DevAccount, DevAccount]
    since_block: int = 0
    balances: dict[str, int] = field(default_factory=dict)
    strangers: list[str] = field(default_factory=list)

    async def start(self) -> None:
        head = await self.node.get_block()
        self.since_block = head.number + 1
        for trader in self.traders:
            self.balances[trader.address] = await self.node.get_balance(trader.address, head)

    async def trade(self, number: int) -> DurableTx:
        """Take an order to its fill at the head."""
        trader = self.traders[number]
        recipient = recipient_of(self.since_block * 10 + number)
        order = make_order(number, account=trader.address, recipient=recipient)
        self.journal.append_order(order, make_quote(order))
        floor = await self.node.get_nonce(trader.address)
        nonce = self.journal.reserve_nonce(CHAIN_ID, trader.address, order.order_id, Purpose.SWAP, floor)
        durable = self.journal.write_signed(
            order.order_id, sign_swap(trader.key, order, nonce, 2_000 * 10**6)
        )
        await send(self.node, durable)
        self.journal.append_outcome(durable, await confirm(self.node, durable, 1, 5, 0.01))
        assert self.state(durable) == (OrderState.FILLED, SlotState.MINED)
        return durable

    def state(self, durable: DurableTx) -> tuple[OrderState, SlotState]:
        slot = self.journal.read_slot(SlotKey(CHAIN_ID, durable.sender, durable.nonce))
        return self.journal.read_order(durable.order_id).state, slot.state

    async def require_ledger_equals_chain(self) -> None:
        """Compare fills with the chain's logs and gas with its balances, to the wei."""
        positions: dict[tuple[int, str, str], int] = {}
        head = await self.node.get_block()
        wanted = LogFilter((WETH.address, USDC.address), ((TRANSFER,),))
        ours = {order.account for order in self.orders()} | {order.recipient for order in self.orders()}
        for log in await self.node.get_logs(wanted, (self.since_block, head.number)):
            for topic, sign in ((log.topics[1], -1), (log.topics[2], 1)):
                owner = next((name for name in ours if topic[12:].hex() == name[2:].lower()), None)
                if owner:
                    key = CHAIN_ID, owner, log.address
                    positions[key] = positions.get(key, 0) + sign * int.from_bytes(log.data, "big")
        assert self.journal.read_positions() == positions
        foreign: dict[str, int] = {}
        for tx_hash in self.strangers:
            receipt = await self.node.get_receipt(tx_hash)
            assert receipt
            foreign[receipt.sender] = foreign.get(receipt.sender, 0) + receipt.cost_wei
        paid = {
            (CHAIN_ID, address): spent
            for address, before in self.balances.items()
            if (spent := before - await self.node.get_balance(address, head) - foreign.get(address, 0))
        }
        assert self.journal.read_gas_wei() == paid

    def orders(self):
        return [view.order for view in self.journal.read_orders() if view.order]


@pytest.fixture
async def desk(chain: LocalChain, tmp_path: Path, request: pytest.FixtureRequest):
    node = await Node.connect(chain.url, CHAIN_ID)
    with Journal.open(tmp_path / "journal.sqlite", confirmed_depth=1_000) as journal:
        desk = Desk(chain, node, journal, (chain.accounts[1], chain.accounts[2]))
        await desk.start()
        yield desk
    await node.close()


@pytest.mark.parametrize(("depth", "fate"), CELLS)
async def test_reorg_is_booked_within_one_head_and_ends_exact(desk, depth, fate):
    one, two = await desk.trade(0), await desk.trade(1)
    if depth > 2:
        desk.chain.mine(depth - 2)
    gone = [two] if depth == 1 else [one, two]
    branch, expected = plan_reorg(desk, fate, gone)
    reorg(desk.chain, depth, branch)

    await reconcile(desk.node, desk.journal)
    assert [desk.state(durable) for durable in gone] == [expected] * len(gone)
    await desk.require_ledger_equals_chain()
    assert (await reconcile(desk.node, desk.journal)).corrections == ()

    found = await recover(desk.node, desk.journal, NOW)
    resent = gone if fate == "dropped" else []
    assert {durable.raw for durable, _ in found.resent} == {durable.raw for durable in resent}
    for durable in resent:
        await confirm(desk.node, durable, 1, 5, 0.01)
    await reconcile(desk.node, desk.journal)
    if resent:
        assert [desk.state(durable)[0] for durable in gone] == [OrderState.FILLED] * len(gone)
    await desk.require_ledger_equals_chain()


def plan_reorg(
    desk: Desk, fate: str, gone: list[DurableTx]
) -> tuple[list[bytes], tuple[OrderState, SlotState]]:
    """Return what the first block of the other branch holds, and how the books must stand after it."""
    filled = OrderState.FILLED, SlotState.MINED
    match fate:
        case "dropped":
            return [], (OrderState.BUSTED, SlotState.ORPHANED)
        case "re-included":
            return [durable.raw for durable in gone], filled
        case "reordered":
            return [pass_by(desk.chain), *(durable.raw for durable in reversed(gone))], filled
        case "re-included reverted":
            return [close_gate(desk.chain), *(durable.raw for durable in gone)], (
                OrderState.FAILED,
                SlotState.MINED,
            )
        case _:
            keys = {trader.address: trader.key for trader in desk.traders}
            others = [sign_raw(keys[lost.sender], lost.nonce, lost.sender, b"") for lost in gone]
            desk.strangers += ["0x" + keccak(raw).hex() for raw in others]
            return others, (OrderState.FAILED, SlotState.FOREIGN)


def reorg(chain: LocalChain, depth: int, branch: list[bytes]) -> None:
    """Replace the newest blocks by as many others; the first holds the transactions, in their order."""
    miner = chain.request("eth_getBlockByNumber", "latest", False)["miner"]
    chain.request("anvil_setCoinbase", recipient_of(depth))
    chain.request("anvil_reorg", depth, [["0x" + raw.hex(), 0] for raw in branch])
    chain.request("anvil_setCoinbase", miner)


def close_gate(chain: LocalChain) -> bytes:
    """Return the keeper's transaction that closes the market."""
    keeper = chain.accounts[9]
    nonce = int(chain.request("eth_getTransactionCount", keeper.address, "latest"), 16)
    return sign_gate(keeper.key, nonce)


def pass_by(chain: LocalChain) -> bytes:
    """Return somebody else's transaction, which does nothing."""
    keeper = chain.accounts[9]
    nonce = int(chain.request("eth_getTransactionCount", keeper.address, "latest"), 16)
    return sign_raw(keeper.key, nonce, keeper.address, b"")


async def test_reorg_past_finality_halts_and_says_so(tmp_path):
    with (
        LocalChain.start(chain_id=CHAIN_ID, extra=("--slots-in-an-epoch", "1")) as chain,
        Journal.open(tmp_path / "journal.sqlite") as journal,
    ):
        open_market(chain)
        node = await Node.connect(chain.url, CHAIN_ID)
        desk = Desk(chain, node, journal, (chain.accounts[1], chain.accounts[2]))
        settled = await desk.trade(0)
        chain.mine(3)
        await reconcile(node, journal)
        assert desk.state(settled)[1] is SlotState.FINAL
        waiting = await desk.trade(1)
        before = journal.read_orders(), journal.read_slots()
        reorg(chain, 5, [])
        for attempt in (reconcile(node, journal), recover(node, journal, NOW)):
            with pytest.raises(FinalityError, match=settled.tx_hash):
                await attempt
        assert (journal.read_orders(), journal.read_slots()) == before
        assert await node.get_transaction(waiting.tx_hash) is None
        await node.close()
