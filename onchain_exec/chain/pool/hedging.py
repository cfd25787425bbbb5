"""When a read that is under way is given to a second endpoint as well. No I/O."""

from __future__ import annotations

from typing import Final

from onchain_exec.chain.pool.pace import Latency

_LATE: Final = 1.1
"""How many times the usual time is late: answers as quick as ever must not count."""

_TAIL: Final = 0.002
"""Which share of all answers may come later than the policy wants. A fifth of the hundredth that p99
means, since what is seen of the past is a sample."""

_AIM: Final = 0.95
"""Of the tail that is wanted: the answers known are past ones, and their times a little short."""

_EARLIEST: Final = 0.5
"""Of the median: before that, nearly every read would be asked twice."""


def get_hedge_s(first: Latency, second: Latency, share: float, tail: float | None) -> float:
    """Return after how many seconds a read of ``first`` is also given to ``second``.

    As a rule when it is late: longer under way than the ``share`` of the answers takes. Where more
    than `_TAIL` of the answers take longer than ``tail`` medians, it is the latest time from which the
    second still keeps the rest within them: P(first is late) × P(second is late, begun then) at most
    `_TAIL`. ``tail`` None never asks earlier than the rule.
    """
    rule = _LATE * first.get_quantile(share)
    if tail is None:
        return rule
    median = first.get_quantile(0.5)
    bound = _AIM * tail * median
    late = first.get_share_over(bound)
    if late <= _TAIL:
        return rule
    needed = (second or first).get_quantile(1 - _TAIL / late)
    return min(rule, max(bound - needed, _EARLIEST * median))
