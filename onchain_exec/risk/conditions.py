"""An order's own conditions, as a trial of its swap on the newest block found them."""

from __future__ import annotations

from onchain_exec.core import Order
from onchain_exec.errors import RevertError
from onchain_exec.risk.verdict import DenialCode, Denied


def judge_revert(order: Order, error: RevertError) -> Denied | None:
    """Return the denial of an order whose swap, when tried, reverts because one of its conditions would
    not hold; None if it reverts for another reason.

    The Router says so by ``CheckFailed(index, found, bound)``, or by ``CheckUnanswered(index, answer)``
    where the condition's target reverts or answers too few words.
    """
    match error.name, error.arguments:
        case "CheckFailed", (int(index), int(word), _) if index < len(order.conditions):
            found = f"{order.conditions[index].read_word(word)} after the swap"
        case "CheckUnanswered", (int(index), bytes(answer)) if index < len(order.conditions):
            found = f"no answer of {order.conditions[index].word + 1} words, but 0x{answer.hex()}"
        case _:
            return None
    broken = order.conditions[index]
    return Denied(
        order,
        DenialCode.CONDITION_FAILED,
        f"{broken.name}: {found}",
        f"{broken.comparison.words} {broken.bound}",
        "Trade less, or in the other direction; or set the condition's bound to what you accept",
    )
