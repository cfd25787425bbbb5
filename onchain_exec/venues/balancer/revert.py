"""Balancer's revert reasons: numbered, shown as ``BAL#304``."""

from __future__ import annotations

from typing import Final, NoReturn

from onchain_exec.errors import PoolRevertError

SUB_OVERFLOW: Final = 1
MUL_OVERFLOW: Final = 3
ZERO_DIVISION: Final = 4
X_OUT_OF_BOUNDS: Final = 6
Y_OUT_OF_BOUNDS: Final = 7
PRODUCT_OUT_OF_BOUNDS: Final = 8
MAX_IN_RATIO: Final = 304
MAX_OUT_RATIO: Final = 305
INVARIANT_DID_NOT_CONVERGE: Final = 321
BALANCE_DID_NOT_CONVERGE: Final = 322
NO_AMOUNT: Final = 510
BALANCE_OVERFLOW: Final = 526

_MEANINGS: Final = {
    SUB_OVERFLOW: "more is taken than there is",
    MUL_OVERFLOW: "a product leaves uint256",
    ZERO_DIVISION: "a divisor is zero: the pool is empty",
    X_OUT_OF_BOUNDS: "the base of a power is too large",
    Y_OUT_OF_BOUNDS: "the exponent of a power is too large",
    PRODUCT_OUT_OF_BOUNDS: "a power leaves e**-41 to e**130",
    MAX_IN_RATIO: "more than 30 % of the pool's balance goes in",
    MAX_OUT_RATIO: "more than 30 % of the pool's balance goes out",
    INVARIANT_DID_NOT_CONVERGE: "the invariant does not converge",
    BALANCE_DID_NOT_CONVERGE: "the balance does not converge",
    NO_AMOUNT: "the amount is zero",
    BALANCE_OVERFLOW: "the Vault holds less than 2**112 of each token",
}


def refuse(number: int) -> NoReturn:
    """Raise PoolRevertError with the reason ``BAL#`` and three digits."""
    reason = f"BAL#{number:03d}"
    raise PoolRevertError(reason, found=f"the pool would revert with {reason}: {_MEANINGS[number]}")
