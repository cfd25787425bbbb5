"""The check before anything is built: each rule looks at the decision and passes or denies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from onchain_exec.core import ZERO_ADDRESS, Exact, Token, format_amount, format_tokens
from onchain_exec.core.fixed_point import BPS
from onchain_exec.errors import InputError
from onchain_exec.pricing import ConsolidatedPrice
from onchain_exec.risk.limits import Limits
from onchain_exec.risk.verdict import AccountState, Approved, DenialCode, Denied
from onchain_exec.routing import Quote

_NATIVE: Final = Token(0, ZERO_ADDRESS, "native coin", 18)


@dataclass(frozen=True, slots=True)
class _Case:
    quote: Quote
    account: AccountState
    limits: Limits
    now: int
    reference: ConsolidatedPrice | None

    def deny(self, code: DenialCode, found: str, limit: str, todo: str) -> Denied:
        return Denied(self.quote.order, code, found, limit, todo)


def check(
    quote: Quote,
    account: AccountState,
    limits: Limits,
    now: int,
    reference: ConsolidatedPrice | None = None,
) -> Approved | Denied:
    """Return whether the quote may be traded: approval, or the first limit it breaks.

    ``now`` is unix seconds. ``reference`` is the price of the order's pair by all sources: the order is
    held to it where other kinds than pools tell it, else to the route's mid price. All comparisons are
    exact. A wider limit never turns an approval into a denial.

    Raises:
        InputError: the account is not the order's.
    """
    if account.owner != quote.order.account:
        raise InputError(
            f"the account state is of {account.owner}", needed=f"the order's account {quote.order.account}"
        )
    case = _Case(quote, account, limits, now, reference)
    for rule in _RULES:
        denied = rule(case)
        if denied is not None:
            return denied
    return Approved(quote, account, reference)


def _tokens(case: _Case) -> Denied | None:
    allowed = case.limits.allowed_tokens
    if allowed is None:
        return None
    for token in (case.quote.order.token_in, case.quote.order.token_out):
        if token.address not in allowed:
            return case.deny(
                DenialCode.TOKEN_NOT_ALLOWED,
                f"{token} ({token.address})",
                f"{len(allowed)} allowed tokens",
                "Add the token's address to allowed_tokens if it is the one you mean",
            )
    return None


def _deadline(case: _Case) -> Denied | None:
    expires_at = case.quote.order.expires_at
    if expires_at <= 0:
        return case.deny(
            DenialCode.DEADLINE_MISSING,
            "no deadline",
            "a deadline after now",
            "Set expires_at: without one the transaction can be mined at any later price",
        )
    if expires_at <= case.now:
        return case.deny(
            DenialCode.DEADLINE_PASSED,
            f"the deadline passed {case.now - expires_at} s ago",
            "a deadline after now",
            "Place the order again with a later deadline",
        )
    return None


def _staleness(case: _Case) -> Denied | None:
    quote, age_s = case.quote, case.quote.age_s(case.now)
    if quote.block != case.account.block:
        return case.deny(
            DenialCode.QUOTE_STALE,
            f"a quote at {quote.block}",
            f"the account's {case.account.block}",
            "Ask for a new quote; this one is not recomputed",
        )
    if age_s > case.limits.max_quote_age_s:
        return case.deny(
            DenialCode.QUOTE_STALE,
            f"the quote is {age_s} s old",
            f"{case.limits.max_quote_age_s} s",
            "Ask for a new quote; this one is not recomputed",
        )
    return None


def _amount_out_min(case: _Case) -> Denied | None:
    if case.quote.amount_out_min > 0:
        return None
    return case.deny(
        DenialCode.AMOUNT_OUT_MIN_MISSING,
        f"at least 0 {case.quote.order.token_out}",
        "more than 0",
        "Trade more, or allow less slippage: a bound of zero accepts any price",
    )


def _slippage(case: _Case) -> Denied | None:
    found, limit = case.quote.order.max_slippage_bps, case.limits.max_slippage_bps
    if found <= limit:
        return None
    return case.deny(
        DenialCode.SLIPPAGE_EXCEEDS_MAXIMUM,
        f"{found} bps",
        f"{limit} bps",
        f"Set max_slippage_bps to {limit} or less",
    )


def _impact(case: _Case) -> Denied | None:
    quote, limit = case.quote, case.limits.max_impact_bps
    if quote.impact_cost * BPS <= limit * quote.mid_value:
        return None
    return case.deny(
        DenialCode.PRICE_IMPACT_EXCEEDS_MAXIMUM,
        f"{quote.impact_bps:.1f} bps, {format_amount(quote.impact_cost, quote.order.token_out)} "
        f"{quote.order.token_out}",
        f"{limit} bps",
        "Trade less at once, or in several orders",
    )


def _shortfall(case: _Case) -> Denied | None:
    quote, limit = case.quote, case.limits.max_shortfall_bps
    price = case.reference.outside_price if case.reference else None
    if price is None:
        shortfall, value = quote.fee_cost + quote.impact_cost, quote.mid_value
    else:
        value = quote.amount_in * price.numerator
        shortfall = value - quote.amount_out * price.denominator
    if shortfall * BPS <= limit * value:
        return None
    return case.deny(
        DenialCode.PRICE_SHORTFALL_EXCEEDS_MAXIMUM,
        f"{shortfall * BPS // max(1, value)} bps below the {'mid' if price is None else 'reference'} price",
        f"{limit} bps",
        "Compare the pools' price with another market: they are thin, dear, or moved by someone",
    )


def _price_kinds(case: _Case) -> Denied | None:
    reference, limit = case.reference, case.limits.min_price_kinds
    kinds = sorted(kind.value for kind in reference.kinds) if reference else []
    if len(kinds) >= limit:
        return None
    refusals = reference.refusals if reference else ()
    return case.deny(
        DenialCode.PRICE_SOURCES_BELOW_MINIMUM,
        f"{len(kinds)} kinds of price source ({', '.join(kinds) or 'none'})"
        + "".join(f"; not {refusal}" for refusal in refusals),
        f"{limit} kinds of pool, twap and feed",
        "List feeds of both tokens, take a pool with older observations, or lower min_price_kinds",
    )


def _divergence(case: _Case) -> Denied | None:
    reference, limit = case.reference, case.limits.max_price_divergence_bps
    if reference is None or limit is None or reference.widest_divergence_bps <= limit:
        return None
    kind, _ = max(reference.kinds.items(), key=lambda told: reference.divergence_bps(told[1]))
    return case.deny(
        DenialCode.PRICE_DIVERGENCE_EXCEEDS_MAXIMUM,
        f"{kind.value} {float(reference.widest_divergence_bps):.1f} bps off the consolidated price",
        f"{limit} bps",
        "Look at `onchain-exec price`: a pool was moved, a feed is wrong, or the market moves fast",
    )


def _notional(case: _Case) -> Denied | None:
    order, quote = case.quote.order, case.quote
    for token, amount in ((order.token_in, quote.amount_in_max), (order.token_out, quote.amount_out)):
        limit = case.limits.max_notional.get(token.address)
        if limit is not None and amount > limit:
            return case.deny(
                DenialCode.NOTIONAL_EXCEEDS_MAXIMUM,
                format_tokens(amount, token),
                format_tokens(limit, token),
                "Trade less, or raise max_notional for the token",
            )
    return None


def _balance(case: _Case) -> Denied | None:
    token, needed = case.quote.order.token_in, case.quote.amount_in_max
    if case.account.balance_in >= needed:
        return None
    bound = " (the bound of the exact output)" if case.quote.order.exact is Exact.OUT else ""
    return case.deny(
        DenialCode.BALANCE_BELOW_AMOUNT,
        format_tokens(case.account.balance_in, token),
        f"{format_tokens(needed, token)}{bound}",
        f"Send {format_tokens(needed - case.account.balance_in, token)} to {case.account.owner}, "
        "or trade less",
    )


def _gas_balance(case: _Case) -> Denied | None:
    needed = case.quote.gas_cost_wei + case.limits.gas_reserve_wei
    missing = needed - case.account.balance_wei
    if missing <= 0:
        return None
    return case.deny(
        DenialCode.GAS_BALANCE_BELOW_COST,
        f"{format_amount(case.account.balance_wei, _NATIVE)} of the {_NATIVE}",
        f"{format_amount(needed, _NATIVE)} for gas and reserve",
        f"Send {format_amount(missing, _NATIVE)} to {case.account.owner}",
    )


def _allowance(case: _Case) -> Denied | None:
    token, needed = case.quote.order.token_in, case.quote.amount_in_max
    if case.limits.may_approve or case.account.free_allowance >= needed:
        return None
    return case.deny(
        DenialCode.ALLOWANCE_FORBIDDEN,
        f"an allowance of {format_tokens(case.account.free_allowance, token)}",
        f"{format_tokens(needed, token)} for {case.account.spender}",
        "Grant the allowance yourself, or set may_approve",
    )


_RULES: Final[tuple[Callable[[_Case], Denied | None], ...]] = (
    _tokens,
    _deadline,
    _staleness,
    _amount_out_min,
    _slippage,
    _impact,
    _price_kinds,
    _divergence,
    _shortfall,
    _notional,
    _balance,
    _gas_balance,
    _allowance,
)
"""What is asked for before what it would cost, and that before what the account holds."""
