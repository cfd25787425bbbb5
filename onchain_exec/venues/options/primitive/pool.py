"""One RMM-01 pool as of a block: what swaps and liquidity do to it, mirrored from ``PrimitiveEngine``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from onchain_exec.core import Address, Token
from onchain_exec.core.bisection import find_largest
from onchain_exec.core.fixed_point import MAX_UINT128, div_up
from onchain_exec.errors import AmountError, PoolRevertError
from onchain_exec.venues.options.primitive.curve import SIGMA_SCALE, Curve, per_liquidity

BUFFER_S: Final = 120
"""How long after maturity the last swaps are taken."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """A pool's terms: ``strike`` in base units of the stable token, ``sigma`` and ``gamma`` (1 less the fee)
    in 1e-4, ``maturity`` in unix seconds."""

    strike: int
    sigma: int
    maturity: int
    gamma: int


@dataclass(frozen=True, slots=True)
class RmmPool:
    """``liquidity`` is in units of 1e-18 of a covered call, ``timestamp`` the block's."""

    engine: Address
    pool_id: bytes
    risky: Token
    stable: Token
    terms: Calibration
    reserve_risky: int
    reserve_stable: int
    liquidity: int
    timestamp: int

    @property
    def curve(self) -> Curve:
        """The curve at the block's time; no later than maturity."""
        terms, tau_s = self.terms, max(self.terms.maturity - self.timestamp, 0)
        units = (10**self.risky.decimals, 10**self.stable.decimals)
        return Curve(terms.strike, terms.sigma, tau_s, *units)

    @property
    def invariant_x64(self) -> int:
        """``invariantOf`` at the block's time: what no swap may lower."""
        return self._get_invariant(self.reserve_risky, self.reserve_stable)

    def get_price(self) -> float:
        """Return the marginal price before fees, in whole stable per whole risky."""
        return self.curve.get_price(per_liquidity(self.reserve_risky, self.liquidity))

    def swap(self, sells_risky: bool, amount_in: int, amount_out: int) -> RmmPool:
        """Return the pool after a swap of both amounts, as ``swap`` checks it.

        Raises:
            AmountError: an amount is not within 1 to 2**128-1.
            PoolRevertError: InvariantError, the output is too much; PoolExpiredError, the last swaps were
                `BUFFER_S` after maturity; InverseOutOfBounds, or Panic where a reserve is not enough.
        """
        for amount in (amount_in, amount_out):
            if not 0 < amount <= MAX_UINT128:
                raise AmountError(f"a swap of {amount_in} for {amount_out}", needed="1 to 2**128-1 of each")
        self._require_not_expired()
        before, after = self.invariant_x64, self._get_invariant_after(sells_risky, amount_in, amount_out)
        if before > after:
            raise PoolRevertError(
                "InvariantError",
                found=f"{amount_out} out for {amount_in} in lowers the invariant to {after} / 2**64",
                needed=f"at least {before} / 2**64",
                todo="Ask for less",
            )
        risky, stable = (amount_in, -amount_out) if sells_risky else (-amount_out, amount_in)
        return replace(
            self, reserve_risky=self.reserve_risky + risky, reserve_stable=self.reserve_stable + stable
        )

    def get_amount_out(self, sells_risky: bool, amount_in: int) -> int:
        """Return the most that the pool gives for an input, in base units.

        Selling the risky token this is exact. Selling the stable one it is the last that the pool takes
        before it refuses: the quantile's jump at its tails can leave one more stretch beyond.

        Raises:
            PoolRevertError: the pool gives nothing for it, or has expired.
        """
        self._require_not_expired()
        reserve = self.reserve_stable if sells_risky else self.reserve_risky
        least = self.invariant_x64

        def holds(amount_out: int) -> bool:
            try:
                return self._get_invariant_after(sells_risky, amount_in, amount_out) >= least
            except PoolRevertError:
                return False

        if not holds(1):
            raise PoolRevertError(
                "InvariantError", found=f"{amount_in} in gives nothing out", needed="a larger input"
            )
        return find_largest(holds, 1, reserve)

    def allocate(self, liquidity: int) -> tuple[int, int, int]:
        """Return the risky and stable tokens that buy at least ``liquidity``, rounded up, and what
        ``allocate`` then gives.

        Raises:
            AmountError: not within 1 to 2**128-1.
            PoolRevertError: PoolExpiredError after maturity.
        """
        if not 0 < liquidity <= MAX_UINT128:
            raise AmountError(f"liquidity of {liquidity}", needed="1 to 2**128-1")
        if self.timestamp > self.terms.maturity:
            self._refuse_expired(0)
        risky = div_up(liquidity * self.reserve_risky, self.liquidity)
        stable = div_up(liquidity * self.reserve_stable, self.liquidity)
        given = min(
            risky * self.liquidity // self.reserve_risky, stable * self.liquidity // self.reserve_stable
        )
        return risky, stable, given

    def remove(self, liquidity: int) -> tuple[int, int]:
        """Return the risky and stable tokens that liquidity gives back, rounded down; ``remove``.

        Raises:
            PoolRevertError: ZeroLiquidityError; Panic, more than the pool has.
        """
        if liquidity == 0:
            raise PoolRevertError("ZeroLiquidityError", found="liquidity of 0", needed="more than 0")
        if not 0 < liquidity <= self.liquidity:
            raise PoolRevertError(
                "Panic", found=f"liquidity of {liquidity}", needed=f"at most the pool's {self.liquidity}"
            )
        return (
            liquidity * self.reserve_risky // self.liquidity,
            liquidity * self.reserve_stable // self.liquidity,
        )

    def _get_invariant_after(self, sells_risky: bool, amount_in: int, amount_out: int) -> int:
        counted = amount_in * self.terms.gamma // SIGMA_SCALE
        risky, stable = (counted, -amount_out) if sells_risky else (-amount_out, counted)
        risky, stable = self.reserve_risky + risky, self.reserve_stable + stable
        if min(risky, stable) < 0:
            raise PoolRevertError(
                "Panic",
                found=f"{amount_out} out",
                needed=f"at most the reserve of {self.reserve_stable if sells_risky else self.reserve_risky}",
            )
        return self._get_invariant(risky, stable)

    def _get_invariant(self, risky: int, stable: int) -> int:
        held = (per_liquidity(risky, self.liquidity), per_liquidity(stable, self.liquidity))
        return self.curve.get_invariant_x64(*held)

    def _require_not_expired(self) -> None:
        if self.timestamp > self.terms.maturity + BUFFER_S:
            self._refuse_expired(BUFFER_S)

    def _refuse_expired(self, grace_s: int) -> None:
        raise PoolRevertError(
            "PoolExpiredError",
            found=f"the pool matured {self.timestamp - self.terms.maturity} s ago",
            needed=f"at most {grace_s} s",
            todo="Remove the liquidity; or take a pool of a later maturity",
        )
