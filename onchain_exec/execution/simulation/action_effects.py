"""What an action did in simulation, against what its calls may take. Balances decide; logs only accuse."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from onchain_exec.core import Call, Log, Reading, to_address
from onchain_exec.core.action import ActionOrder
from onchain_exec.errors import EffectError
from onchain_exec.execution.allowances.approvals import APPROVAL
from onchain_exec.venues.erc20 import ALLOWANCE, BALANCE_OF, get_balance_changes


@dataclass(frozen=True, slots=True)
class Standing:
    """What an action finds, or leaves, in base units: the balance of each of its spends, and the allowance
    of each that is pulled."""

    balances: tuple[int, ...]
    allowances: tuple[int, ...]


def get_standing_calls(order: ActionOrder) -> tuple[Call, ...]:
    """Return the reads whose answers `decode_standing` takes."""
    balances = (Call(spend.token, BALANCE_OF.encode(order.account)) for spend in order.spends)
    allowances = (Call(spend.token, ALLOWANCE.encode(order.account, spend.spender)) for spend in order.pulled)
    return (*balances, *allowances)


def decode_standing(order: ActionOrder, words: Sequence[int]) -> Standing:
    """Return what the first words of the answers to `get_standing_calls` tell."""
    count = len(order.spends)
    return Standing(tuple(words[:count]), tuple(words[count:]))


def read_standing(order: ActionOrder) -> Reading[Standing]:
    """Read what the action finds."""
    snapshot = yield get_standing_calls(order)
    return decode_standing(order, [int.from_bytes(answer.data[:32]) for answer in snapshot.answers])


def require_action_effects(
    order: ActionOrder, before: Standing, after: Standing, logs: Iterable[Log]
) -> None:
    """Return if the action took no more than its calls may, and left nobody a new allowance.

    Raises:
        EffectError: otherwise.
    """
    logs, most = tuple(logs), Counter[str]()
    for spend in order.spends:
        most[spend.token] += spend.amount
    taken = {
        spend.token: old - new
        for spend, old, new in zip(order.spends, before.balances, after.balances, strict=True)
    }
    seen = {token: -change for token, change in get_balance_changes(logs, order.account).items()}
    for token, amount in (*taken.items(), *seen.items()):
        if amount > most[token]:
            raise EffectError(
                f"{amount} base units of {token} leave {order.account}",
                needed=f"at most {most[token]}",
                todo="Do not sign this: find out which contract took it",
            )
    _require_no_other_approval(order, logs)
    for spend, old, new in zip(order.pulled, before.allowances, after.allowances, strict=True):
        spare = max(old, spend.amount - taken[spend.token])
        if new > spare:
            raise EffectError(
                f"an allowance of {new} of {spend.token} is left to {spend.spender}",
                needed=f"at most {spare}",
            )


def _require_no_other_approval(order: ActionOrder, logs: Iterable[Log]) -> None:
    expected = {(spend.token, spend.spender) for spend in order.pulled}
    for log in logs:
        if log.topics[:1] != (APPROVAL.topic,) or len(log.topics) != 3:
            continue
        owner, spender = (to_address(topic[12:]) for topic in log.topics[1:])
        if owner == order.account and (log.address, spender) not in expected:
            raise EffectError(
                f"{spender} is approved to pull {log.address}",
                needed="no approval but those that the action needs",
                todo="Do not sign this: find out which contract asked for it",
            )
