"""The front-run that just does not pay, on curves whose answer is known."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from onchain_exec.risk.exposure.allocation import Point
from onchain_exec.risk.exposure.even import find_even

NOTHING = Point(0, 0.0, 0.0)
HIGHEST = 10**12


def make_curve(steep: float, top: int, kink: int):
    """Gains that rise ever more slowly to ``top``, faster up to a kink; the loss is the amount."""

    def try_amount(amount: int) -> Point:
        gain = steep * (amount - amount * amount / (2 * top)) + steep * min(amount, kink)
        return Point(amount, float(amount), gain)

    return try_amount


@given(
    st.floats(0.01, 10),
    st.integers(10**6, HIGHEST),
    st.floats(0, 1),
    st.floats(0.001, 0.999),
    st.integers(1, 9),
)
def test_find_even_is_the_last_that_does_not_pay_but_for_a_128th(steep, top, kink, share, shift):
    curve = make_curve(steep, top, int(top * kink))
    points = (NOTHING, curve(top >> shift), curve(top))
    needed = points[-1].gain * share
    tries: list[int] = []

    def try_amount(amount: int) -> Point:
        tries.append(amount)
        return curve(amount)

    even = find_even(points, needed, float("inf"), try_amount)
    assert even is not None
    assert even.gain <= needed
    wider = even.amount * 129 // 128 + 2
    assert curve(wider).gain > needed or wider > top
    assert len(tries) < 60


@given(st.integers(1, 99))
def test_find_even_ends_where_it_is_no_news_any_more(percent):
    curve = make_curve(1.0, HIGHEST, 0)
    points = (NOTHING, curve(HIGHEST))
    least = HIGHEST * percent / 1_000
    even = find_even(points, points[-1].gain * 0.99, least, curve)
    assert even is not None
    assert even.loss >= least


def test_find_even_of_what_never_pays_is_nothing():
    assert find_even((NOTHING, Point(5, 5.0, 1.0)), 1.0, 9.0, lambda _: None) is None


def test_find_even_of_what_cannot_be_tried_stays_below_it():
    assert find_even((NOTHING, Point(500, 5.0, 9.0)), 1.0, 9.0, lambda _: None) == NOTHING
