"""What a transaction did in simulation, against what was asked. Balances decide; logs only accuse."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from onchain_exec.core import Call, Log, Token, format_tokens, to_address
from onchain_exec.errors import EffectError
from onchain_exec.execution.allowances.approvals import APPROVAL, get_allowance_call
from onchain_exec.execution.plan import Purpose, StandingApproval, TxPlan
from onchain_exec.execution.safe import get_inner_data
from onchain_exec.execution.simulation.action_effects import (
    decode_standing,
    get_standing_calls,
    require_action_effects,
)
from onchain_exec.risk import Approved
from onchain_exec.risk.action import ApprovedAction
from onchain_exec.venues.erc20 import ALLOWANCE, APPROVE, BALANCE_OF, get_balance_changes


@dataclass(frozen=True, slots=True)
class Holdings:
    """What an order can touch, in base units: the owner's token_in, the recipient's token_out, and
    what the spender may pull of token_in; ``words`` is all that was read."""

    token_in: int
    token_out: int
    allowance: int
    words: tuple[int, ...] = ()


def get_holding_calls(plan: TxPlan) -> tuple[Call, ...]:
    """Return the reads whose answers `decode_holdings` takes; none for a cancellation."""
    match plan.cause:
        case Approved(quote=quote, account=account):
            order = quote.order
            return (
                Call(order.token_in.address, ALLOWANCE.encode(account.owner, account.spender)),
                Call(order.token_in.address, BALANCE_OF.encode(account.owner)),
                Call(order.token_out.address, BALANCE_OF.encode(order.recipient)),
            )
        case ApprovedAction(order=action):
            return get_standing_calls(action)
        case StandingApproval() as approval:
            return (get_allowance_call(approval),)
        case _:
            return ()


def decode_holdings(answers: Sequence[bytes]) -> Holdings:
    """Return the holdings that the answers to `get_holding_calls` tell; 0 for what was not asked."""
    words = [int.from_bytes(answer[:32]) for answer in answers]
    allowance, token_in, token_out = (*words, 0, 0, 0)[:3]
    return Holdings(token_in, token_out, allowance, tuple(words))


def require_effects(plan: TxPlan, before: Holdings, after: Holdings, logs: Iterable[Log]) -> None:
    """Return if the plan, run after its dependencies, did what was asked and nothing else.

    ``before`` is from before the dependencies. A swap takes at most ``amount_in_max`` from the
    trader, gives at least ``amount_out_min`` to the recipient, moves no other asset of the trader,
    and leaves no allowance that its own grant did not need. An allowance is exactly what was asked,
    and what is revoked is gone.

    Of an action see `require_action_effects`.

    Raises:
        EffectError: otherwise.
    """
    logs = tuple(logs)
    if isinstance(plan.cause, ApprovedAction):
        order = plan.cause.order
        found, left = (decode_standing(order, holdings.words) for holdings in (before, after))
        require_action_effects(order, found, left, logs)
        return
    _require_no_other_loss(plan, logs)
    if isinstance(plan.cause, StandingApproval) and after.allowance:
        raise _refuse(
            f"{plan.cause.spender} may still pull {after.allowance} of {plan.cause.token}",
            "nothing",
            "The token does not revoke what it is asked to",
        )
    if not isinstance(plan.cause, Approved):
        return
    _require_no_other_approval(plan.cause, logs)
    if plan.purpose is Purpose.ALLOWANCE:
        _, asked = APPROVE.decode_arguments(get_inner_data(plan))
        if after.allowance != asked:
            token = plan.cause.quote.order.token_in
            raise _refuse(
                f"the allowance becomes {_show(after.allowance, token)}",
                f"exactly {_show(asked, token)}",
                "The token does not approve what it is asked to",
            )
        return
    _require_bounds(plan.cause, before, after)
    _require_spent_allowance(plan.cause, before, after)


def _require_bounds(approved: Approved, before: Holdings, after: Holdings) -> None:
    quote, order = approved.quote, approved.quote.order
    amount_in, amount_out = before.token_in - after.token_in, after.token_out - before.token_out
    if amount_out < quote.amount_out_min:
        raise _refuse(
            f"{order.recipient} receives {_show(amount_out, order.token_out)}",
            f"at least {_show(quote.amount_out_min, order.token_out)}",
            "The token may take a fee on transfer, or the calldata pays someone else",
        )
    if not 0 < amount_in <= quote.amount_in_max:
        raise _refuse(
            f"the swap takes {_show(amount_in, order.token_in)}",
            f"more than 0 and at most {_show(quote.amount_in_max, order.token_in)}",
            "The token may move more than it is asked to",
        )


def _require_spent_allowance(approved: Approved, before: Holdings, after: Holdings) -> None:
    """What the order's own grant leaves is what the bound exceeded the need by: nothing for an exact
    input, but for what other orders of the account wait for, now or since this one was decided. What the
    account had granted before is its own affair, as long as it does not grow."""
    account, needed, token = approved.account, approved.quote.amount_in_max, approved.quote.order.token_in
    granted = max(needed + account.waiting, before.allowance)
    spare = granted - (before.token_in - after.token_in)
    allowed = spare if account.free_allowance < needed else before.allowance
    if after.allowance > allowed:
        raise _refuse(
            f"an allowance of {_show(after.allowance, token)} is left to {account.spender}",
            f"at most {_show(allowed, token)}",
            "The spender pulled less than it was granted, or the token does not count allowances down",
        )


def _require_no_other_loss(plan: TxPlan, logs: Iterable[Log]) -> None:
    spendable = set()
    if isinstance(plan.cause, Approved) and plan.purpose is Purpose.SWAP:
        spendable = {plan.cause.quote.order.token_in.address}
    logs = tuple(logs)
    owner = plan.cause.account.owner if isinstance(plan.cause, Approved) else plan.sender
    for account in {owner, plan.sender}:  # another sender relays for an account that is a contract
        for token, change in get_balance_changes(logs, account).items():
            if change < 0 and token not in spendable:
                raise _refuse(
                    f"{-change} base units of {token} leave {account}",
                    "no asset to leave but the one sold",
                    "Do not sign this: find out which contract took it",
                )


def _require_no_other_approval(approved: Approved, logs: Iterable[Log]) -> None:
    expected = (approved.quote.order.token_in.address, approved.account.spender)
    for log in logs:
        if log.topics[:1] != (APPROVAL.topic,) or len(log.topics) != 3:
            continue
        owner, spender = (to_address(topic[12:]) for topic in log.topics[1:])
        if owner == approved.account.owner and (log.address, spender) != expected:
            raise _refuse(
                f"{spender} is approved to pull {log.address}",
                f"no approval but {expected[1]}'s for {expected[0]}",
                "Do not sign this: find out which contract asked for it",
            )


def _show(amount: int, token: Token) -> str:
    return format_tokens(amount, token)


def _refuse(found: str, needed: str, todo: str) -> EffectError:
    return EffectError(found, needed=needed, todo=todo)
