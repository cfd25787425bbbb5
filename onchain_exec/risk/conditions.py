"""An order's own conditions, as a trial of its swap on the newest block found them."""

from __future__ import annotations

from collections.abc import Sequence

from onchain_exec.core import Condition, Order
from onchain_exec.errors import RevertError
from onchain_exec.risk.verdict import DenialCode, Denied


def find_broken(conditions: Sequence[Condition], error: RevertError, deed: str) -> tuple[str, str] | None:
    """Return what was found after ``deed`` and what was needed of the condition that a revert names, as text
    for people; None if it names none."""
    match error.name, error.arguments:
        case "CheckFailed", (int(index), int(word), _) if index < len(conditions):
            found = f"{conditions[index].read_word(word)} after {deed}"
        case "CheckUnanswered", (int(index), bytes(answer)) if index < len(conditions):
            found = f"no answer of {conditions[index].word + 1} words, but 0x{answer.hex()}"
        case _:
            return None
    broken = conditions[index]
    return f"{broken.name}: {found}", f"{broken.comparison.words} {broken.bound}"


def judge_revert(order: Order, error: RevertError) -> Denied | None:
    """Return the denial of an order whose swap, when tried, reverts because one of its conditions would
    not hold; None if it reverts for another reason.

    The Router says so by ``CheckFailed(index, found, bound)``, or by ``CheckUnanswered(index, answer)``
    where the condition's target reverts or answers too few words.
    """
    broken = find_broken(order.conditions, error, "the swap")
    if broken is None:
        return None
    return Denied(
        order,
        DenialCode.CONDITION_FAILED,
        *broken,
        "Trade less, or in the other direction; or set the condition's bound to what you accept",
    )
