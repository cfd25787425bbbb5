"""What the engine does in a calm world, one act at a time."""

import asyncio
import threading
from dataclasses import replace
from fractions import Fraction

import pytest
from engine.simulation import CHAIN_ID, ETHER, GWEI, Process, World
from oms.builders import (
    TRADER,
    USDC,
    WETH,
    make_approved,
    make_order,
    make_plan,
    make_quote,
    make_receipt,
    make_signed,
    sign_plan,
)

from onchain_exec.app.engine import Engine
from onchain_exec.app.engine.slots import fill_gap
from onchain_exec.core import Exact, ParentOrder
from onchain_exec.errors import (
    DuplicateOrderError,
    FencedError,
    GasError,
    InputError,
    SignerError,
    UnsupportedOrderError,
)
from onchain_exec.execution import Fees, Purpose
from onchain_exec.execution.delivery.outcome import Mined
from onchain_exec.oms import EVERYTHING, OrderState, SlotKey, SlotState, SwitchState, get_account_scope
from onchain_exec.testing.simulated import run_virtually


class Calm:
    """A world without faults at a price that the test sets, and the one process in it."""

    def __init__(self, *, is_trusted=True, accounts=1):
        self.world = World(1)
        self.world.fate.end_faults()
        self.price = 2_000
        self.world.market.__init__(lambda number: self.price, is_trusted=is_trusted)
        self.world.policy = replace(self.world.policy, time_to_live_s=300, max_fee_wei=None)
        self.accounts = tuple(self.world.signers)[:accounts]
        self.process = Process(self.world)

    @property
    def journal(self):
        return self.process.journal

    @property
    def engine(self):
        return self.process.engine

    def make(self, name="one", **terms):
        now = self.world.chain.head.timestamp
        values = {
            "order_id": name,
            "client_order_id": name,
            "accounts": self.accounts,
            "token_in": WETH,
            "token_out": USDC,
            "amount": ETHER,
            "exact": Exact.IN,
            "max_slippage_bps": 50,
            "starts_at": now,
            "expires_at": now + 10_000,
        }
        return ParentOrder(**values | terms)

    def submit(self, name="one", **terms):
        return self.engine.submit(self.make(name, **terms))

    def turn(self, blocks=1):
        """Let the engine take a turn and a block follow, so often; and look once more."""

        async def work():
            for _ in range(blocks):
                await self.process.turn()
                self.world.chain.mine()
            await self.process.turn()

        run_virtually(work())

    def look(self, name="one"):
        return self.journal.find_parent(name)


@pytest.fixture
def calm():
    return Calm()


def test_turn_market_order_is_filled_after_its_allowance():
    calm = Calm(is_trusted=False)
    calm.submit()
    calm.turn(3)
    assert calm.look().state is OrderState.FILLED
    purposes = [slot.purpose for slot in calm.journal.read_slots()]
    assert purposes == [Purpose.ALLOWANCE, Purpose.SWAP]


def test_turn_limit_order_waits_for_its_price_and_never_fills_worse(calm):
    calm.submit(limit_price=Fraction(2_100 * 10**6, ETHER))
    calm.turn(3)
    assert calm.look().children == ()
    calm.price = 2_100
    calm.turn()
    (child,) = calm.look().children
    assert calm.journal.read_order(child).fill.amount_out == 2_100 * 10**6


def test_turn_stop_order_waits_until_the_price_has_fallen(calm):
    calm.submit(stop_price=Fraction(1_900 * 10**6, ETHER))
    calm.turn(2)
    assert calm.look().state is OrderState.NEW
    calm.price = 1_899
    calm.turn()
    assert calm.look().state is OrderState.FILLED


class FixedPrice:
    """Every source of the pair together."""

    def __init__(self, price):
        self.price = price

    async def read_price(self, token_in, token_out, block):
        return self.price


@pytest.mark.parametrize(("told", "state"), [(1_950, OrderState.NEW), (1_900, OrderState.FILLED)])
def test_turn_stop_order_is_watched_against_all_sources_not_its_own_route(calm, told, state):
    calm.price = 1_899
    calm.process.lane = replace(calm.process.lane, prices=FixedPrice(Fraction(told * 10**6, ETHER)))
    calm.submit(stop_price=Fraction(1_900 * 10**6, ETHER))
    calm.turn(2)
    assert calm.look().state is state


def test_turn_stop_order_that_no_source_prices_is_watched_against_its_route(calm):
    calm.price = 1_899
    calm.process.lane = replace(calm.process.lane, prices=FixedPrice(None))
    calm.submit(stop_price=Fraction(1_900 * 10**6, ETHER))
    calm.turn(2)
    assert calm.look().state is OrderState.FILLED


def test_turn_slices_follow_one_another_and_are_partial_between(calm):
    calm.submit(slices=3, interval_s=36)
    calm.turn()
    assert (calm.look().state, calm.look().filled) == (OrderState.PARTIAL, ETHER // 3)
    calm.turn(8)
    view = calm.look()
    assert (view.state, view.filled, len(view.children)) == (OrderState.FILLED, ETHER, 3)


def test_turn_fill_or_kill_that_cannot_fill_now_is_rejected(calm):
    calm.submit(fill_or_kill=True, limit_price=Fraction(3_000 * 10**6, ETHER))
    calm.turn()
    view = calm.look()
    assert (view.state, view.failure.code, view.children) == (OrderState.REJECTED, "FILL_OR_KILL", ())


def test_turn_good_till_time_expires(calm):
    calm.submit(limit_price=Fraction(3_000 * 10**6, ETHER), expires_at=calm.world.chain.head.timestamp + 20)
    calm.turn(3)
    assert calm.look().state is OrderState.EXPIRED


def test_turn_replacement_trades_what_the_replaced_left(calm):
    calm.submit(slices=2, interval_s=10_000)
    calm.turn()
    calm.submit("two", replaces="one", amount=2 * ETHER)
    assert calm.look().state is OrderState.CANCELLED
    calm.turn(10)
    assert (calm.look().filled, calm.look("two").filled) == (ETHER // 2, 2 * ETHER)
    (child,) = calm.look("two").children
    assert calm.journal.read_order(child).order.amount == 2 * ETHER - ETHER // 2


def test_turn_fees_that_rise_speed_up_on_the_same_nonce(calm):
    calm.submit()
    calm.world.chain.base_fee_wei = GWEI
    run_virtually(calm.process.turn())
    calm.world.chain.base_fee_wei = 50 * GWEI
    calm.turn(2)
    (slot,) = calm.journal.read_slots()
    assert [attempt.tx.purpose for attempt in slot.attempts] == [Purpose.SWAP] * 2
    assert (slot.state, calm.look().state) == (SlotState.MINED, OrderState.FILLED)
    assert calm.journal.read_order("one.1").fill.amount_out == 2_000 * 10**6


def test_cancel_of_signed_order_competes_on_the_same_nonce(calm):
    calm.submit()
    run_virtually(calm.process.turn())
    calm.journal.append_cancel("one")
    assert calm.look().state is OrderState.CANCEL_PENDING
    calm.turn()
    (slot,) = calm.journal.read_slots()
    assert [attempt.tx.purpose for attempt in slot.attempts] == [Purpose.SWAP, Purpose.CANCEL]
    assert (slot.state, calm.look().state) == (SlotState.REPLACED, OrderState.CANCELLED)


def test_turn_pool_of_accounts_trades_side_by_side():
    calm = Calm(accounts=2)
    calm.submit("one")
    calm.submit("two")
    calm.turn()
    assert {calm.look(name).state for name in ("one", "two")} == {OrderState.FILLED}
    assert len({slot.key.account for slot in calm.journal.read_slots()}) == 2


def test_turn_one_account_trades_a_token_one_order_at_a_time(calm):
    calm.submit("one")
    calm.submit("two")
    run_virtually(calm.process.turn())
    assert [slot.key.nonce for slot in calm.journal.read_slots()] == [0]
    calm.turn(3)
    assert [calm.look(name).state for name in ("one", "two")] == [OrderState.FILLED] * 2


def test_turn_paused_account_begins_nothing_and_finishes_what_it_began(calm):
    calm.submit("one")
    run_virtually(calm.process.turn())
    scope = get_account_scope(calm.accounts[0])
    calm.journal.append_switch(scope, SwitchState.PAUSED, "a test")
    calm.submit("two")
    calm.turn(3)
    assert [calm.look(name).state for name in ("one", "two")] == [OrderState.FILLED, OrderState.NEW]
    calm.journal.append_switch(scope, SwitchState.RUNNING)
    calm.turn()
    assert calm.look("two").state is OrderState.FILLED


def test_turn_three_accounts_trade_at_once_and_a_pause_holds_only_its_own():
    calm = Calm(accounts=3)
    first, second, third = calm.accounts
    for name, account in zip("abc", calm.accounts, strict=True):
        calm.submit(name, accounts=(account,))
    calm.journal.append_switch(get_account_scope(second), SwitchState.PAUSED, "a test")
    calm.turn()
    assert [calm.look(name).state.name for name in "abc"] == ["FILLED", "NEW", "FILLED"]
    assert {slot.key.account for slot in calm.journal.read_slots()} == {first, third}
    calm.journal.append_switch(get_account_scope(second), SwitchState.RUNNING)
    calm.turn()
    assert calm.look("b").state is OrderState.FILLED


def test_turn_kill_stops_every_account_and_nothing_is_signed_after_it():
    calm = Calm(accounts=3)
    for name, account in zip("abc", calm.accounts, strict=True):
        calm.submit(name, accounts=(account,))
    run_virtually(calm.process.turn())
    calm.journal.append_switch(EVERYTHING, SwitchState.KILLED, "a test")
    signed = calm.world.signed
    assert signed == 3
    for name, account in zip("xyz", calm.accounts, strict=True):
        calm.submit(name, accounts=(account,))
    calm.turn(3)
    assert calm.world.signed == signed
    assert [calm.look(name).state.name for name in "abcxyz"] == ["FILLED"] * 3 + ["NEW"] * 3


def test_turn_nonce_that_nobody_uses_is_filled_with_nothing(calm):
    journal, account = calm.journal, calm.accounts[0]
    failing = make_order(7, account=account, token_in=USDC, token_out=WETH)
    journal.append_order(failing, make_quote(failing))
    assert journal.reserve_nonce(CHAIN_ID, account, failing.order_id, Purpose.SWAP, 0) == 0
    calm.submit()
    calm.turn()
    assert calm.look().state is OrderState.WORKING  # its nonce is 1, and waits
    journal.append_failure(failing.order_id, SignerError("the signer is gone"))
    calm.turn(2)
    assert [slot.purpose for slot in journal.read_slots()] == [Purpose.GAP, Purpose.SWAP]
    assert calm.look().state is OrderState.FILLED


@pytest.mark.parametrize("error", [SignerError, GasError, FencedError])
def test_turn_gap_that_cannot_be_filled_now_waits_and_the_engine_lives(calm, monkeypatch, error):
    journal, account = calm.journal, calm.accounts[0]
    failing = make_order(7, account=account, token_in=USDC, token_out=WETH)
    journal.append_order(failing, make_quote(failing))
    journal.reserve_nonce(CHAIN_ID, account, failing.order_id, Purpose.SWAP, 0)
    calm.submit()
    calm.turn()
    journal.append_failure(failing.order_id, SignerError("the signer is gone"))

    async def refuse(*_):
        raise error("for now")

    monkeypatch.setattr(calm.process.lane.path, "prove", refuse)
    calm.turn()
    monkeypatch.undo()
    assert calm.look().state is OrderState.WORKING
    calm.turn(2)
    assert calm.look().state is OrderState.FILLED


def test_turn_account_that_another_process_writes_is_left_to_it(calm, monkeypatch):
    """Two engines on one journal: the one that does not write the account sends on what stands, and lives."""
    calm.submit()
    calm.world.chain.base_fee_wei = GWEI
    run_virtually(calm.process.turn())
    calm.world.chain.base_fee_wei = 50 * GWEI
    calm.world.chain.mine()
    refused = []

    def refuse(order_id, *_, **__):
        refused.append(order_id)
        raise FencedError("another process writes the account")

    monkeypatch.setattr(calm.journal, "write_signed", refuse)
    run_virtually(calm.process.turn())
    monkeypatch.undo()
    (slot,) = calm.journal.read_slots()
    assert (refused, len(slot.attempts), slot.state) == (["one.1"], 1, SlotState.SEEN)
    calm.turn(2)
    assert calm.look().state is OrderState.FILLED


def test_drain_from_another_thread_ends_a_run_that_sleeps(calm):
    engine = Engine(calm.journal, [], poll_s=3_600)

    async def work():
        running = asyncio.create_task(engine.run())
        threading.Timer(0.1, engine.drain).start()  # by then the loop sleeps
        await asyncio.wait_for(running, 30)

    asyncio.run(work())


def test_fill_gap_that_lending_code_left_out_gives_the_nonce_to_nothing(calm, monkeypatch):
    journal, account = calm.journal, calm.accounts[0]
    orders = [make_order(number, account=account, recipient=account) for number in (1, 2)]
    for order in orders:
        journal.append_order(order, make_quote(order))
    journal.reserve_nonce(CHAIN_ID, account, "order-1", Purpose.SWAP, 0)
    plan = make_plan(make_approved(orders[0]), sender=account)
    lending = journal.write_signed("order-1", sign_plan(plan, 0, b"\x04"))
    journal.append_outcome(lending, Mined(make_receipt(lending.tx_hash, orders[0]), 1))
    journal.reserve_nonce(CHAIN_ID, account, "order-2", Purpose.SWAP, 2)
    journal.write_signed("order-2", make_signed(orders[1], 2))
    journal.append_orphaned(journal.read_slot(SlotKey(CHAIN_ID, account, 0)))
    cancelling = make_plan(lending, Purpose.CANCEL, account)
    cancel = journal.write_signed("order-1", sign_plan(cancelling, 0))
    journal.append_outcome(cancel, Mined(make_receipt(cancel.tx_hash, orders[0]), 1))
    lane, node = calm.process.lane, calm.process.lane.context.node

    async def get_nonce(*_):
        return 1

    async def work():
        await fill_gap(lane, account, await node.get_block(), Fees(3 * GWEI, GWEI))

    monkeypatch.setattr(node, "get_nonce", get_nonce)
    run_virtually(work())
    assert [(slot.key.nonce, slot.purpose) for slot in journal.read_slots()] == [
        (0, Purpose.SWAP),
        (1, Purpose.GAP),
        (2, Purpose.SWAP),
    ]


def test_run_drained_finishes_what_is_on_its_way_and_begins_nothing():
    calm = Calm()
    calm.submit("one")

    async def work():
        await calm.process.turn()
        calm.submit("two")
        calm.engine.drain()
        calm.world.chain.mine()
        await calm.engine.run()

    run_virtually(work())
    assert [calm.look(name).state for name in ("one", "two")] == [OrderState.FILLED, OrderState.NEW]


def test_submit_same_order_again_is_the_same_and_other_terms_are_refused(calm):
    assert calm.submit() == calm.submit()
    with pytest.raises(DuplicateOrderError):
        calm.submit(amount=2 * ETHER)


@pytest.mark.parametrize(
    ("terms", "error"),
    [
        ({"accounts": (TRADER,)}, InputError),
        ({"replaces": "nobody"}, InputError),
        ({"amount": 0}, InputError),
    ],
)
def test_submit_order_that_cannot_be_traded_is_refused(calm, terms, error):
    with pytest.raises(error):
        calm.submit(**terms)
    with pytest.raises(UnsupportedOrderError):
        calm.engine.submit(calm.make(), reduce_only=True)
    assert calm.journal.read_parents() == ()
