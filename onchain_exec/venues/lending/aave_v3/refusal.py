"""Why Aave's pool reverts: its own codes (``Errors``), with what was found and needed."""

from __future__ import annotations

import enum

from onchain_exec.errors import PoolRevertError


class Refusal(enum.StrEnum):
    """The reason that the pool reverts with, a number as text."""

    INVALID_MINT_AMOUNT = "24"
    INVALID_BURN_AMOUNT = "25"
    INVALID_AMOUNT = "26"
    RESERVE_INACTIVE = "27"
    RESERVE_FROZEN = "28"
    RESERVE_PAUSED = "29"
    BORROWING_NOT_ENABLED = "30"
    NOT_ENOUGH_AVAILABLE_USER_BALANCE = "32"
    COLLATERAL_BALANCE_IS_ZERO = "34"
    HEALTH_FACTOR_LOWER_THAN_LIQUIDATION_THRESHOLD = "35"
    COLLATERAL_CANNOT_COVER_NEW_BORROW = "36"
    NO_DEBT_OF_SELECTED_TYPE = "39"
    UNDERLYING_BALANCE_ZERO = "43"
    HEALTH_FACTOR_NOT_BELOW_THRESHOLD = "45"
    COLLATERAL_CANNOT_BE_LIQUIDATED = "46"
    SPECIFIED_CURRENCY_NOT_BORROWED_BY_USER = "47"
    BORROW_CAP_EXCEEDED = "50"
    SUPPLY_CAP_EXCEEDED = "51"
    DEBT_CEILING_EXCEEDED = "53"
    LTV_VALIDATION_FAILED = "57"
    INCONSISTENT_EMODE_CATEGORY = "58"
    PRICE_ORACLE_SENTINEL_CHECK_FAILED = "59"
    ASSET_NOT_BORROWABLE_IN_ISOLATION = "60"
    USER_IN_ISOLATION_MODE_OR_LTV_ZERO = "62"
    SILOED_BORROWING_VIOLATION = "89"
    UNDERFLOW = "Panic"
    """Solidity's own: less was there than was to be taken."""

    def raised(self, found: str, needed: str = "", todo: str = "") -> PoolRevertError:
        """Return the error to raise; ``found`` is put behind the code and its name."""
        named = f"the pool would revert with {self.value} ({self.name})"
        return PoolRevertError(self.value, found=f"{named}: {found}", needed=needed, todo=todo)


def require(holds: bool, refusal: Refusal, found: str, needed: str = "", todo: str = "") -> None:
    """Raise the refusal unless the condition holds. Mirror of a ``require`` of the pool."""
    if not holds:
        raise refusal.raised(found, needed, todo)
