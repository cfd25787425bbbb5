"""What holds of every pool model, whatever its curve: each function states one law."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from onchain_exec.core import Exact, Token
from onchain_exec.errors import PoolRevertError

Sides = tuple[Token, Token]


def outcome(act: Callable[[], Any]) -> Any:
    """Return what ``act`` returns, or the reason that the contract would revert with."""
    try:
        return act()
    except PoolRevertError as refusal:
        return refusal.reason


def require_quote_is_swap(pool: Any, sides: Sides, amount: int, exact: Exact) -> None:
    """A quote is the other side of the swap, and both refuse alike; the pool itself stays as it was."""
    before = pool.to_json()
    quoted = outcome(lambda: pool.quote(*sides, amount, exact))
    done = outcome(lambda: pool.swap(*sides, amount, exact))
    if isinstance(quoted, str):
        assert done == quoted
        return
    expected = (amount, quoted) if exact is Exact.IN else (quoted, amount)
    assert (done.amount_in, done.amount_out) == expected
    assert 0 <= done.fee_amount <= done.amount_in
    assert pool.to_json() == before


def require_monotone(pool: Any, sides: Sides, amounts: tuple[int, int], exact: Exact, slack: int = 0) -> None:
    """More in gives no less out, more out takes no less in, up to ``slack`` base units of rounding."""
    less, more = (outcome(lambda n=n: pool.quote(*sides, n, exact)) for n in sorted(amounts))
    assert isinstance(less, str) or isinstance(more, str) or less <= more + slack


def require_no_free_round_trip(pool: Any, sides: Sides, amount: int, exact: Exact) -> None:
    """There and back never pays: every rounding is in the pool's favour."""
    try:
        there = pool.swap(*sides, amount, exact)
        back = there.pool_after.swap(*reversed(sides), there.amount_out, Exact.IN)
    except PoolRevertError:
        return
    assert back.amount_out <= there.amount_in


def require_json_round_trip(pool: Any) -> None:
    """The state survives text: same pool, and integers are strings."""
    text = json.dumps(pool.to_json())
    state = json.loads(text, parse_int=_refuse_number)
    assert type(pool).from_json(state, pool.tokens) == pool
    assert state["kind"] == pool.kind
    assert state["tokens"] == [token.address for token in pool.tokens]


def require_depth_is_the_last_within(pool: Any, sides: Sides, impact_bps: int) -> None:
    """``depth`` keeps the price within the impact; twice of it does not, or the pool refuses that."""
    depth = pool.depth(*sides, impact_bps)
    floor = pool.spot_price(*sides) * (10_000 - impact_bps) / 10_000
    if depth:
        assert pool.swap(*sides, depth, Exact.IN).pool_after.spot_price(*sides) >= floor
    try:
        beyond = pool.swap(*sides, 2 * depth + 10**6, Exact.IN).pool_after
    except PoolRevertError:
        return
    assert beyond.spot_price(*sides) < floor


def _refuse_number(digits: str) -> None:
    raise AssertionError(f"{digits} is written as a JSON number")
