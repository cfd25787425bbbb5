"""What a parent does next, as laws over every history that the order table allows its children."""

from fractions import Fraction

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from oms.builders import TRADER, USDC, WETH, make_order

from onchain_exec.core import Exact, ParentOrder
from onchain_exec.errors import InputError, UnsupportedOrderError
from onchain_exec.oms import OrderEvent, OrderState, OrderView, ParentView
from onchain_exec.oms.book.states import ORDER_TABLE
from onchain_exec.oms.book.views import Failure
from onchain_exec.oms.engine import Begin, End, Wait, get_limit_bound, plan_next, require_tradable, schedule
from onchain_exec.oms.engine.schedule import MAX_FAILED_CHILDREN

AMOUNT = 1_000
FAILURE = Failure("X", "x", "y", "z")
UNSIGNED_ENDS = {OrderState.DENIED, OrderState.REJECTED, OrderState.EXPIRED}
moves = st.integers(0, 59)


def make_parent(**terms):
    values = {
        "order_id": "p",
        "client_order_id": "c",
        "accounts": (TRADER,),
        "token_in": WETH,
        "token_out": USDC,
        "amount": AMOUNT,
        "exact": Exact.IN,
        "max_slippage_bps": 50,
        "starts_at": 0,
        "expires_at": 10**9,
    }
    return ParentOrder(**values | terms)


def make_view(state=OrderState.NEW, **terms):
    return ParentView(make_parent(**terms), state, 0, 0)


def make_child(amount, state=OrderState.NEW, *, final=False):
    order = make_order(1, amount=amount, parent_id="p")
    failure = FAILURE if state in UNSIGNED_ENDS else None
    return OrderView("p.1", "p.1", state, order, None, 0, 0, failure=failure, final=final)


def move(child, which):
    """Let one of the events that its table allows happen to a child, unless it is final."""
    legal = [after for (state, _), after in ORDER_TABLE.items() if state is child.state]
    if not legal or child.final:
        return child
    after = legal[which % len(legal)]
    ended = child.state is OrderState.NEW and after not in (OrderState.NEW, OrderState.WORKING)
    return replace(child, state=after, final=ended, failure=FAILURE if after in UNSIGNED_ENDS else None)


def trade_through(slices, steps):
    """Let time pass and children move, and hold the parent to its amount throughout."""
    view = make_view(slices=slices, interval_s=10)
    children: list[OrderView] = []
    now = 0
    for passed_s, which, happened, final in steps:
        now += passed_s
        if children:
            child = move(children[which % len(children)], happened)
            if final and child.state in (OrderState.FILLED, OrderState.FAILED, OrderState.CANCELLED):
                child = replace(child, final=True)
            children[which % len(children)] = child
        match plan_next(view, children, None, now):
            case Begin(amount):
                assert 0 < amount <= -(-AMOUNT // slices)
                children.append(make_child(amount))
        alive = [child for child in children if not child.final or child.state is OrderState.FILLED]
        assert sum(child.order.amount for child in alive) <= AMOUNT
        due = min(slices, 1 + now // 10)
        assert sum(child.order.amount for child in alive) <= AMOUNT * due // slices


histories = given(
    slices=st.integers(1, 7),
    steps=st.lists(st.tuples(st.integers(0, 20), st.integers(0, 9), moves, st.booleans()), max_size=60),
)


@histories
def test_plan_next_children_in_any_history_never_fill_more_than_the_amount(slices, steps):
    trade_through(slices, steps)


def test_plan_next_that_frees_what_a_reorg_can_revive_is_caught(monkeypatch):
    def forget(child: OrderView) -> int:
        failed = child.state in (OrderState.FAILED, OrderState.CANCELLED)
        return 0 if failed else child.order.amount

    monkeypatch.setattr(schedule, "_get_committed", forget)
    search = settings(
        max_examples=1_000, derandomize=True, report_multiple_bugs=False, phases=[Phase.generate]
    )
    with pytest.raises(AssertionError):
        search(histories(trade_through))()


@given(slices=st.integers(1, 50))
def test_plan_next_every_child_fills_slices_fill_the_amount_exactly(slices):
    view, children = make_view(slices=slices, interval_s=10), []
    for index in range(slices):
        found = plan_next(view, children, None, 10 * index)
        assert isinstance(found, Begin)
        children.append(make_child(found.amount, OrderState.FILLED))
        assert plan_next(view, children, None, 10 * index) == Wait()
    assert sum(child.order.amount for child in children) == AMOUNT


def test_plan_next_reverted_child_that_a_reorg_can_revive_waits():
    reverted = make_child(AMOUNT, OrderState.FAILED)
    assert plan_next(make_view(), [reverted], None, 0) == Wait()
    assert plan_next(make_view(), [replace(reverted, final=True)], None, 0) == Begin(AMOUNT)


def test_plan_next_replacement_waits_for_the_end_and_counts_its_fills():
    new = make_view(replaces="old")
    old = replace(make_view(OrderState.CANCEL_PENDING), filled=400)
    assert plan_next(new, [], old, 0) == Wait()
    assert plan_next(new, [], replace(old, state=OrderState.CANCELLED, final=True), 0) == Begin(600)
    full = replace(old, state=OrderState.FILLED, filled=AMOUNT, final=True)
    assert plan_next(new, [], full, 0).failure.code == "ALREADY_FILLED"


@pytest.mark.parametrize("state", [OrderState.CANCEL_PENDING, OrderState.CANCELLED, OrderState.FILLED])
def test_plan_next_parent_that_is_not_to_trade_waits(state):
    assert plan_next(make_view(state), [], None, 0) == Wait()


def test_plan_next_past_its_time_expires_once_nothing_is_undecided():
    view = make_view(expires_at=5)
    assert isinstance(plan_next(view, [], None, 5), Begin)
    assert plan_next(view, [make_child(AMOUNT, OrderState.WORKING)], None, 6) == Wait()
    assert plan_next(view, [], None, 6).happened is OrderEvent.EXPIRE


def test_plan_next_denied_child_denies_its_parent():
    child = make_child(AMOUNT, OrderState.DENIED, final=True)
    assert plan_next(make_view(), [child], None, 0) == End(OrderEvent.DENY, FAILURE)


def test_plan_next_fill_or_kill_has_one_chance():
    view = make_view(fill_or_kill=True)
    assert plan_next(view, [], None, 0) == Begin(AMOUNT)
    killed = plan_next(view, [make_child(AMOUNT, OrderState.FAILED)], None, 0)
    assert killed.failure.code == "FILL_OR_KILL"


def test_plan_next_failing_again_and_again_gives_up():
    failed = make_child(AMOUNT, OrderState.REJECTED, final=True)
    assert plan_next(make_view(), [failed] * (MAX_FAILED_CHILDREN - 1), None, 0) == Begin(AMOUNT)
    assert plan_next(make_view(), [failed] * MAX_FAILED_CHILDREN, None, 0).happened is OrderEvent.REJECT


@given(
    amount=st.integers(1, 10**30),
    price=st.fractions(min_value=Fraction(1, 10**12), max_value=10**12),
    exact=st.sampled_from(Exact),
)
def test_get_limit_bound_is_the_loosest_that_keeps_the_price(amount, price, exact):
    bound = get_limit_bound(make_parent(limit_price=price, exact=exact), amount)
    if exact is Exact.IN:
        assert Fraction(bound, amount) >= price > Fraction(bound - 1, amount)
    else:
        assert bound * price <= amount < (bound + 1) * price


def test_require_tradable_reduce_only_on_spot_is_refused():
    with pytest.raises(UnsupportedOrderError):
        require_tradable(make_parent(), 0, reduce_only=True)


@pytest.mark.parametrize(
    "terms",
    [
        {"amount": 0},
        {"accounts": ()},
        {"token_out": WETH},
        {"max_slippage_bps": 10_000},
        {"expires_at": 0},
        {"slices": 0},
        {"slices": 2},
        {"slices": 2, "interval_s": 1, "fill_or_kill": True},
        {"limit_price": Fraction(0)},
        {"stop_price": Fraction(-1)},
        {"replaces": "p"},
    ],
    ids=str,
)
def test_require_tradable_terms_that_contradict_are_refused(terms):
    require_tradable(make_parent(), 0)
    with pytest.raises(InputError):
        require_tradable(make_parent(**terms), 0)
