"""The consolidated price: a median of medians, whatever the order of its sources."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from onchain_exec.pricing import PriceSource, SourceKind, consolidate

prices = st.fractions(min_value=Fraction(1, 10**6), max_value=10**6)
sources = st.builds(
    PriceSource,
    st.sampled_from(SourceKind),
    st.just("a source"),
    st.none() | prices,
    st.integers(0, 10**24),
)


def make(kind: SourceKind, price: int | None, weight: int = 1) -> PriceSource:
    return PriceSource(kind, "a source", None if price is None else Fraction(price), weight)


@given(st.lists(sources, max_size=12), st.randoms(use_true_random=False))
def test_consolidate_in_any_order_gives_the_same_price_among_those_that_count(found, rng) -> None:
    first = consolidate(found)
    rng.shuffle(found)
    assert consolidate(found).price == first.price
    counted = [source.price for source in found if source.price is not None and source.weight]
    assert (first.price is None) == (not counted)
    if counted:
        assert min(counted) <= first.price <= max(counted)
        assert set(first.kinds.values()) <= set(counted)


@given(st.lists(st.tuples(prices, st.integers(1, 10**20)), min_size=1, max_size=8), prices)
def test_consolidate_pools_of_less_than_half_the_liquidity_cannot_move_it_beyond_the_others(
    honest, wrong: Fraction
) -> None:
    pools = [PriceSource(SourceKind.POOL, "honest", price, weight) for price, weight in honest]
    attacker = PriceSource(SourceKind.POOL, "moved", wrong, sum(weight for _, weight in honest) - 1)
    found = consolidate([*pools, attacker]).price
    assert min(price for price, _ in honest) <= found <= max(price for price, _ in honest)


@given(prices, prices)
def test_consolidate_one_kind_that_is_wrong_is_outvoted_by_two(right: Fraction, wrong: Fraction) -> None:
    for odd in SourceKind:
        kinds = {kind: wrong if kind is odd else right for kind in SourceKind}
        found = consolidate([PriceSource(kind, "a source", price) for kind, price in kinds.items()])
        assert found.price == right
        assert found.widest_divergence_bps == found.divergence_bps(wrong) == abs(wrong / right - 1) * 10_000


def test_consolidate_of_two_kinds_is_their_mean_and_shows_how_far_apart_they_are() -> None:
    found = consolidate([make(SourceKind.POOL, 90), make(SourceKind.FEED, 110)])
    assert (found.price, found.widest_divergence_bps) == (100, 1_000)


def test_consolidate_of_nothing_that_counts_has_no_price() -> None:
    found = consolidate([make(SourceKind.FEED, None), make(SourceKind.POOL, 5, weight=0)])
    assert (found.price, dict(found.kinds), found.widest_divergence_bps) == (None, {}, 0)
