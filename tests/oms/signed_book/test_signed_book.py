"""The book of signed orders, in SQLite and in PostgreSQL: what is in it once, counts once, and is told on."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from oms.signed_book.resting import DOMAIN, MAKER, NOW, OTHER, SIZE, make_fill, make_resting, place_journal
from onchain_exec.clearing.settle import Domain, Flags, Lane
from onchain_exec.clearing.settle.order_book import OrderBook, Refusal, RefusalCode
from onchain_exec.core import to_address
from onchain_exec.errors import OrderRefusedError, UnknownOrderError
from onchain_exec.oms import Journal
from onchain_exec.oms.signed_book import BookedOrder, BookLimits, RestState, SignedBook
from onchain_exec.oms.signed_book.writing import MARGIN_S, SETTLED_BLOCKS
from onchain_exec.oms.storage import open_database

FRESH = Lane()
Opener = Callable[..., SignedBook]
everywhere = pytest.mark.parametrize("place", ["sqlite", "postgres"], indirect=True)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.deep)])
def place(request: pytest.FixtureRequest, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where the book is. In PostgreSQL it is tried in depth, and where databases differ most."""
    if request.param == "sqlite":
        return str(place_journal(tmp_path, tmp_path_factory.getbasetemp()))
    return request.getfixturevalue("postgres_url")


@pytest.fixture
def open_book(place: str) -> Iterator[Opener]:
    """Open the book of the place as often as a test likes."""
    opened: list[SignedBook] = []

    def open_it(limits: BookLimits | None = None, domain: Domain = DOMAIN, now: int = NOW) -> SignedBook:
        database = open_database(place, 5.0, 1.0)
        opened.append(SignedBook(database, domain, limits or BookLimits(), clock=lambda: now))
        return opened[-1]

    yield open_it
    for book in opened:
        book.close()


@pytest.fixture
def book(open_book: Opener) -> SignedBook:
    return open_book()


def state(book: SignedBook, digest: bytes, at: int = NOW) -> RestState:
    return found(book, digest).get_state(at)


def found(book: SignedBook, digest: bytes) -> BookedOrder:
    kept = book.find(digest)
    assert kept is not None
    return kept


def refuse(digest: bytes, code: RefusalCode, block_number: int = 9) -> Refusal:
    return Refusal(digest, code, "found", "needed", block_number)


@everywhere
def test_add_order_stands_there_for_every_process(open_book: Opener, place: str) -> None:
    resting = make_resting(1, flags=Flags.FILL_OR_KILL | Flags.EXACT_OUT, receiver=OTHER, max_fee_bps=7)
    added, is_new = open_book().add(resting, FRESH, 5)
    assert is_new
    other: OrderBook = open_book()
    assert list(other.list_open(NOW)) == [resting]
    assert other.domain == DOMAIN
    assert open_book().find(resting.digest) == added
    Journal.open(place).close()


def test_add_same_order_again_is_the_same_order(book: SignedBook) -> None:
    first, _ = book.add(make_resting(1), FRESH, 5)
    assert book.add(make_resting(1), FRESH, 8) == (first, False)
    book.withdraw(first.signed_order.digest)
    again, is_new = book.add(make_resting(1), FRESH, 8)
    assert (again.get_state(NOW), is_new) == (RestState.CANCELLED, False)
    assert book.list_open(NOW) == ()


def test_add_other_order_in_its_place_is_refused(book: SignedBook) -> None:
    book.add(make_resting(1), FRESH, 5)
    with pytest.raises(OrderRefusedError) as refused:
        book.add(make_resting(1, amount_in=SIZE + 1), FRESH, 5)
    assert refused.value.reason == "lane_taken"
    book.add(make_resting(1, lane=1), FRESH, 5)
    book.add(make_resting(1, owner=OTHER), FRESH, 5)
    assert len(book.list_open(NOW)) == 3


def test_add_what_its_lane_says_is_filled_counts(book: SignedBook) -> None:
    kept, _ = book.add(make_resting(4), Lane(4, 300), 5)
    assert (kept.filled, kept.get_state(NOW)) == (300, RestState.PARTLY_FILLED)
    kept, _ = book.add(make_resting(5), Lane(4, 300), 5)
    assert (kept.filled, kept.get_state(NOW)) == (0, RestState.OPEN)


def test_books_of_other_contracts_are_apart(open_book: Opener) -> None:
    other = Domain(DOMAIN.chain_id, to_address("0x" + "77" * 20))
    open_book().add(make_resting(1), FRESH, 5)
    assert open_book(domain=other).list_open(NOW) == ()
    assert open_book(domain=other).read_snapshot(NOW)[1] == ()


def test_record_fills_each_counts_once_and_ends_the_order(book: SignedBook) -> None:
    resting = make_resting(1)
    book.add(resting, FRESH, 5)
    part, rest = make_fill(resting, 400, 6), make_fill(resting, 600, 7)
    unknown = make_fill(make_resting(2), 1, 7, log_index=9)
    for _ in range(2):
        book.record_fills([part, unknown])
    assert (found(book, resting.digest).filled, state(book, resting.digest)) == (
        400,
        RestState.PARTLY_FILLED,
    )
    book.record_fills([part, rest])
    assert state(book, resting.digest) is RestState.FILLED
    assert book.list_fills(resting.digest) == (part, rest)
    assert book.list_open(NOW) == ()


def test_record_fills_of_an_order_that_buys_counts_what_is_bought(book: SignedBook) -> None:
    resting = make_resting(1, flags=Flags.EXACT_OUT)
    book.add(resting, FRESH, 5)
    book.record_fills([make_fill(resting, 400, 6)])
    assert found(book, resting.digest).filled == 1_200


def test_drop_fills_of_a_block_that_left_the_order_rests_again(book: SignedBook) -> None:
    resting = make_resting(1)
    book.add(resting, FRESH, 5)
    fill = make_fill(resting, SIZE, 6)
    book.record_fills([fill])
    book.drop_fills(fill.block_hash)
    assert book.list_open(NOW) == (resting,)
    assert (state(book, resting.digest), book.list_fills(resting.digest)) == (RestState.OPEN, ())


@pytest.mark.parametrize(
    ("code", "expected", "rests"),
    [
        (RefusalCode.LANE_PASSED, RestState.CANCELLED, False),
        (RefusalCode.USED_UP, RestState.FILLED, False),
        (RefusalCode.EXPIRED, RestState.EXPIRED, False),
        (RefusalCode.BALANCE_SHORT, RestState.REFUSED, True),
        (RefusalCode.ALLOWANCE_SHORT, RestState.REFUSED, True),
        (RefusalCode.NOT_SIGNED, RestState.REFUSED, True),
        (RefusalCode.FOREIGN_MATCHER, RestState.REFUSED, True),
    ],
)
def test_record_refusals_for_ever_end_it_and_others_may_pass(
    book: SignedBook, code: RefusalCode, expected: RestState, rests: bool
) -> None:
    resting = make_resting(1)
    book.add(resting, FRESH, 5)
    book.record_refusals([refuse(resting.digest, code)])
    number = found(book, resting.digest).number
    book.record_refusals([refuse(resting.digest, code, 10)])  # told once: nobody is woken again
    assert found(book, resting.digest).number == number
    assert state(book, resting.digest) is expected
    assert bool(book.list_open(NOW)) is rests
    book.record_fills([make_fill(resting, 1, 11)])
    assert state(book, resting.digest) is (RestState.PARTLY_FILLED if rests else expected)


def test_lift_refusals_what_may_pass_passes_and_what_is_over_stays(book: SignedBook) -> None:
    poor, passed, fine = (make_resting(1, lane=lane) for lane in range(3))
    for resting in (poor, passed, fine):
        book.add(resting, FRESH, 5)
    book.record_refusals(
        [refuse(poor.digest, RefusalCode.BALANCE_SHORT), refuse(passed.digest, RefusalCode.LANE_PASSED)]
    )
    assert [kept.signed_order for kept in book.list_refused(NOW)] == [poor]
    number = found(book, fine.digest).number
    book.lift_refusals([poor.digest, passed.digest, fine.digest, b"\0" * 32])
    states = [state(book, resting.digest) for resting in (poor, passed, fine)]
    assert states == [RestState.OPEN, RestState.CANCELLED, RestState.OPEN]
    assert (book.list_refused(NOW), found(book, fine.digest).number) == ((), number)


def test_record_lanes_they_decide_what_is_filled_and_what_has_passed(book: SignedBook) -> None:
    orders = [make_resting(seq) for seq in (1, 2, 3)]
    for resting in orders:
        book.add(resting, FRESH, 5)
    book.record_fills([make_fill(orders[0], SIZE, 6), make_fill(orders[1], 250, 6, log_index=1)])
    book.record_lanes({(MAKER, 0): Lane(2, 250)}, 6)
    states = [state(book, resting.digest) for resting in orders]
    assert states == [RestState.FILLED, RestState.PARTLY_FILLED, RestState.OPEN]
    book.record_lanes({(MAKER, 0): Lane(3, 0)}, 7)
    states = [state(book, resting.digest) for resting in orders]
    assert states == [RestState.FILLED, RestState.CANCELLED, RestState.OPEN]
    assert found(book, orders[1].digest).filled == 250


def test_record_lanes_after_a_reorg_what_had_passed_rests_again(book: SignedBook) -> None:
    resting = make_resting(1)
    book.add(resting, FRESH, 5)
    book.record_lanes({(MAKER, 0): Lane(2, 0)}, 6)
    assert book.list_open(NOW) == ()
    assert book.list_lanes(since_block=6) == {(MAKER, 0)}
    assert book.list_lanes(since_block=7) == frozenset()
    book.record_lanes({(MAKER, 0): Lane(1, 10)}, 6)
    assert (state(book, resting.digest), found(book, resting.digest).filled) == (RestState.PARTLY_FILLED, 10)
    assert book.list_open(NOW) == (resting,)


def test_withdraw_order_rests_for_nobody_new(book: SignedBook) -> None:
    resting = make_resting(1)
    book.add(resting, FRESH, 5)
    withdrawn = book.withdraw(resting.digest)
    assert withdrawn.get_state(NOW) is RestState.CANCELLED
    assert book.withdraw(resting.digest) == withdrawn
    assert book.list_open(NOW) == ()
    book.record_fills([make_fill(resting, SIZE, 6)])  # somebody had it
    assert state(book, resting.digest) is RestState.FILLED
    with pytest.raises(UnknownOrderError):
        book.withdraw(b"\0" * 32)


def test_list_open_at_a_time_holds_what_may_be_filled_then_oldest_first(book: SignedBook) -> None:
    late, soon = make_resting(9), make_resting(2, deadline_at=NOW + 1)
    book.add(late, FRESH, 5)
    book.add(soon, FRESH, 5)
    book.record_refusals([refuse(late.digest, RefusalCode.BALANCE_SHORT)])
    assert book.list_open(NOW) == (late, soon)
    assert book.list_open(NOW + 1) == (late, soon)
    assert book.list_open(NOW + 2) == (late,)
    assert state(book, soon.digest, NOW + 2) is RestState.EXPIRED


def test_limits_an_owner_is_refused_until_orders_can_never_come_again(open_book: Opener) -> None:
    limits = BookLimits(per_owner=2, in_all=3)
    book = open_book(limits)
    first, second = make_resting(1), make_resting(2)
    book.add(first, FRESH, 5)
    book.add(second, FRESH, 5)
    book.withdraw(first.digest)
    with pytest.raises(OrderRefusedError, match="may come again"):
        book.add(make_resting(3), FRESH, 5)
    book.add(make_resting(1, owner=OTHER), FRESH, 5)
    with pytest.raises(OrderRefusedError, match="the book has 3"):
        book.add(make_resting(2, owner=OTHER), FRESH, 5)
    book.record_fills([make_fill(second, SIZE, 6)])
    book.add(make_resting(3), FRESH, 6)
    assert book.find(second.digest) is None
    assert book.list_fills(second.digest) == ()
    later = open_book(limits, now=NOW + 61 + MARGIN_S)
    later.add(make_resting(4, deadline_at=NOW + 90 + MARGIN_S), FRESH, 6)
    assert later.find(first.digest) is None


@pytest.mark.parametrize("end", ["filled", "passed"])
def test_limits_withdrawn_order_comes_again_by_no_reorg(open_book: Opener, end: str) -> None:
    """Whoever kept it brings it again once it is forgotten: not while its end can leave the chain."""
    book = open_book(BookLimits(per_owner=1))
    withdrawn, ended_at = make_resting(1), 100
    book.add(withdrawn, FRESH, 5)
    book.withdraw(withdrawn.digest)
    if end == "filled":
        book.record_fills([make_fill(withdrawn, SIZE, ended_at)])
    else:
        book.record_lanes({(MAKER, 0): Lane(seq=2)}, ended_at)
    elsewhere = open_book(BookLimits(in_all=1), replace(DOMAIN, chain_id=2))
    with pytest.raises(OrderRefusedError, match="the book has 1"):
        elsewhere.add(make_resting(3), FRESH, ended_at + SETTLED_BLOCKS + 1)
    with pytest.raises(OrderRefusedError, match="may come again"):
        book.add(make_resting(3), FRESH, ended_at + SETTLED_BLOCKS)
    book.add(make_resting(3), FRESH, ended_at + SETTLED_BLOCKS + 1)
    assert book.find(withdrawn.digest) is None


def test_limits_withdrawn_order_that_expired_by_one_clock_does_not_come_again_by_another(
    open_book: Opener,
) -> None:
    """Processes of one book differ in their clocks: what is over for one may rest for another."""
    limits = BookLimits(per_owner=1)
    slow, fast = open_book(limits), open_book(limits, now=NOW + 90)
    withdrawn = make_resting(1)
    slow.add(withdrawn, FRESH, 5)
    slow.withdraw(withdrawn.digest)
    with pytest.raises(OrderRefusedError, match="may come again"):
        fast.add(make_resting(2, deadline_at=NOW + 120), FRESH, 5)
    assert slow.add(withdrawn, FRESH, 5) == (found(slow, withdrawn.digest), False)
    assert slow.list_open(NOW) == ()


def test_read_changes_tell_every_order_in_its_last_state(open_book: Opener) -> None:
    book = open_book(BookLimits(per_owner=3))
    orders = [make_resting(seq) for seq in (1, 2, 3)]
    for resting in orders:
        book.add(resting, FRESH, 5)
    number, resting_now = book.read_snapshot(NOW)
    assert (number, [kept.signed_order for kept in resting_now]) == (3, orders)
    book.withdraw(orders[0].digest)
    book.record_fills([make_fill(orders[0], SIZE, 6), make_fill(orders[1], 1, 6, 1)])
    changes = book.read_changes(number)
    assert [kept.signed_order for kept in changes.orders] == orders[:2]
    assert (changes.after, changes.number, changes.is_complete) == (3, 6, True)
    assert book.read_changes(6).orders == ()
    assert not book.read_changes(7).is_complete  # of another book
    book.add(make_resting(4), FRESH, 7 + SETTLED_BLOCKS)  # drops the first, whose last change was the fifth
    assert not book.read_changes(number).is_complete
    assert book.read_changes(5).is_complete


def test_tail_another_process_changes_are_told(open_book: Opener) -> None:
    book, other = open_book(), open_book()
    book.add(make_resting(1), FRESH, 5)
    news = other.tail(idle_s=10)
    book.add(make_resting(2), FRESH, 5)
    changes = next(news)
    assert changes is not None
    assert [kept.signed_order for kept in changes.orders] == [make_resting(2)]
    assert changes.after == 1
    news.close()


@everywhere
def test_add_many_threads_and_processes_every_number_is_given_once(open_book: Opener) -> None:
    books = [open_book(), open_book()]

    def add(book: SignedBook, lane: int) -> None:
        for seq in range(5):
            book.add(make_resting(seq, lane=lane), FRESH, 5)

    threads = [threading.Thread(target=add, args=(books[lane % 2], lane // 2)) for lane in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    changes = books[0].read_changes(0)
    assert [kept.number for kept in changes.orders] == list(range(1, 21))
    assert len(books[1].list_open(NOW)) == 20


def test_any_order_of_recordings_counts_what_the_chain_filled(book: SignedBook, rng: random.Random) -> None:
    """A solver tells fills, a follower lanes, both late and again: what is filled is what the lane says."""
    for seq in range(1, 4):
        resting = make_resting(seq)
        book.add(resting, FRESH, 5)
        fills = [make_fill(resting, rng.randrange(1, 100), block, block) for block in range(6, 12)]
        told = [lambda fill=fill: book.record_fills([fill]) for fill in fills for _ in range(2)]
        for block in rng.sample(range(6, 12), 3):
            lane = Lane(
                resting.order.seq, sum(fill.amount_in for fill in fills if fill.block_number <= block)
            )
            told.append(lambda lane=lane, block=block: book.record_lanes({(MAKER, 0): lane}, block))
        rng.shuffle(told)
        for tell in told:
            tell()
        assert found(book, resting.digest).filled == sum(fill.amount_in for fill in fills)
        for fill in fills:
            book.drop_fills(fill.block_hash)
