"""What a check returns: a decision with its numbers, never an exception."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from onchain_exec.core import Address, BlockRef, Order
from onchain_exec.pricing import ConsolidatedPrice
from onchain_exec.routing import Quote


@dataclass(frozen=True, slots=True)
class AccountState:
    """What the trader's account holds at the decision's block, in base units.

    ``allowance`` is what ``spender`` may pull of the order's token_in, ``waiting`` what other orders of the
    account were granted of that and may still have pulled.
    """

    block: BlockRef
    owner: Address
    balance_in: int
    balance_wei: int
    spender: Address
    allowance: int
    waiting: int = 0

    @property
    def free_allowance(self) -> int:
        """What the spender may pull for an order that was granted nothing."""
        return max(self.allowance - self.waiting, 0)


class DenialCode(enum.Enum):
    """Why an order is refused."""

    BALANCE_BELOW_AMOUNT = "BALANCE_BELOW_AMOUNT"
    GAS_BALANCE_BELOW_COST = "GAS_BALANCE_BELOW_COST"
    NOTIONAL_EXCEEDS_MAXIMUM = "NOTIONAL_EXCEEDS_MAXIMUM"
    SLIPPAGE_EXCEEDS_MAXIMUM = "SLIPPAGE_EXCEEDS_MAXIMUM"
    PRICE_IMPACT_EXCEEDS_MAXIMUM = "PRICE_IMPACT_EXCEEDS_MAXIMUM"
    PRICE_SHORTFALL_EXCEEDS_MAXIMUM = "PRICE_SHORTFALL_EXCEEDS_MAXIMUM"
    PRICE_SOURCES_BELOW_MINIMUM = "PRICE_SOURCES_BELOW_MINIMUM"
    PRICE_DIVERGENCE_EXCEEDS_MAXIMUM = "PRICE_DIVERGENCE_EXCEEDS_MAXIMUM"
    AMOUNT_OUT_MIN_MISSING = "AMOUNT_OUT_MIN_MISSING"
    DEADLINE_MISSING = "DEADLINE_MISSING"
    DEADLINE_PASSED = "DEADLINE_PASSED"
    TOKEN_NOT_ALLOWED = "TOKEN_NOT_ALLOWED"  # noqa: S105 - a code, not a password
    QUOTE_STALE = "QUOTE_STALE"
    ALLOWANCE_FORBIDDEN = "ALLOWANCE_FORBIDDEN"
    HEALTH_FACTOR_BELOW_MINIMUM = "HEALTH_FACTOR_BELOW_MINIMUM"
    MARGIN_RATIO_BELOW_MINIMUM = "MARGIN_RATIO_BELOW_MINIMUM"
    FREE_COLLATERAL_BELOW_MINIMUM = "FREE_COLLATERAL_BELOW_MINIMUM"
    LIQUIDATION_TOO_NEAR = "LIQUIDATION_TOO_NEAR"
    CONDITION_FAILED = "CONDITION_FAILED"


@dataclass(frozen=True, slots=True)
class Approved:
    """Proof that the quote passed for this account, against ``reference``; made by `check` only."""

    quote: Quote
    account: AccountState
    reference: ConsolidatedPrice | None = None


@dataclass(frozen=True, slots=True)
class Denied:
    """A refusal: the limit, the value found, and what to do about it, as text for people."""

    order: Order
    code: DenialCode
    found: str
    limit: str
    todo: str
