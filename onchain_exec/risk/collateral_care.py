"""The least that makes an account safe again, by the mirror of the chain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from onchain_exec.core.bisection import find_largest
from onchain_exec.errors import PoolRevertError
from onchain_exec.venues.collateral import CollateralAccount


def find_least_care(
    account: CollateralAccount[Any], make: Callable[[int], Any], target_wad: int, at_most: int
) -> tuple[Any, bool]:
    """Return the action of the smallest amount that brings the health factor to ``target_wad``, and True; or
    the action of ``at_most``, and False, where even that does not.

    ``make`` gives the action of an amount: a top-up, a repayment, a trade that reduces. More of it must
    make the account safer.

    Raises:
        PoolRevertError: the chain would not even take ``at_most``.
    """

    def is_safe(amount: int) -> bool:
        try:
            return account.after(make(amount)).health.health_factor_wad >= target_wad
        except PoolRevertError:  # too little to count, or more than there is to repay with
            return False

    if not is_safe(at_most):
        account.after(make(at_most))
        return make(at_most), False
    return make(1 + find_largest(lambda amount: not is_safe(amount), 0, at_most)), True
