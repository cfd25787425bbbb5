"""What a swap does to the price scale of a tricrypto of 2021: ``tweak_price`` of its contracts.

Its average takes each swap's own price, not the curve's, and halves over time. A swap of enough profit
starts an adjustment that the swaps after it go on with, until the profit does not bear another step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

from onchain_exec.core.fixed_point import MAX_UINT128, WAD
from onchain_exec.venues.curve.crypto.arithmetic import compute_y
from onchain_exec.venues.curve.crypto.invariant import compute_d, compute_value
from onchain_exec.venues.curve.crypto.peg import Curve, Peg, Trade
from onchain_exec.venues.curve.revert import refuse

_PRICED: Final = 10**5
"""Base units on both sides from which on a swap's own price is taken."""

_ROUNDS: Final = 256
_HALVES: Final = 59
_HALF_PRECISION: Final = 10**10


@dataclass(frozen=True, slots=True)
class FirstPeg(Peg):
    """The peg of a tricrypto of 2021; ``ma_time_s`` is the average's half-life.

    The price scale moves if its distance from the average is above ``threshold_wad``. ``not_adjusted``
    is the contract's own, which it tells to nobody: an adjustment is under way. A ramp of time 0 is
    over; one whose time is past still has D computed anew by the next swap.
    """

    threshold_wad: int
    not_adjusted: bool

    @property
    def recomputes_d(self) -> bool:
        """Whether a swap meets the invariant of its balances, and not the stored one."""
        return self.ramp.ends_at > 0

    def settle(self, curve: Curve, scaled: Sequence[int], trade: Trade, k0: int) -> tuple[Self, Curve]:
        """Return the peg and the curve after a swap; see `Peg.settle`.

        Raises:
            PoolRevertError: the swap would lower the pool's value ("Loss"), or leaves the balances too far
                apart.
        """
        d = compute_d(curve.flavour, curve.ann, curve.gamma, scaled)
        settled = curve._replace(d=d)
        value_wad = WAD * compute_value(curve.flavour, d, curve.price_scale_wad) // self.lp_supply
        if value_wad < self.virtual_price_wad and not self.recomputes_d:
            refuse("the pool would lose value", "Loss")
        xcp_profit_wad = self.xcp_profit_wad * value_wad // self.virtual_price_wad
        earned = 2 * value_wad - WAD > xcp_profit_wad + 2 * self.allowed_extra_profit_wad
        after = replace(
            self,
            price_oracle_wad=self._average(curve.price_scale_wad),
            last_prices_wad=self._find_last_prices(settled, scaled, trade),
            averaged_at=max(self.averaged_at, self.traded_at),
            virtual_price_wad=value_wad,
            xcp_profit_wad=xcp_profit_wad,
            ramp=self.ramp if self.ramp.is_moving(self.traded_at) else replace(self.ramp, ends_at=0),
            not_adjusted=self.not_adjusted or earned,
        )
        return after._adjust(settled, scaled) if after.not_adjusted else (after, settled)

    def _average(self, scale: Sequence[int]) -> tuple[int, ...]:
        if self.averaged_at >= self.traded_at:
            return self.price_oracle_wad
        keep = compute_half_power((self.traded_at - self.averaged_at) * WAD // self.ma_time_s)
        pairs = zip(self.last_prices_wad, self.price_oracle_wad, strict=True)
        return tuple((last * (WAD - keep) + old * keep) // WAD for last, old in pairs)

    def _find_last_prices(self, curve: Curve, scaled: Sequence[int], trade: Trade) -> tuple[int, ...]:
        """Return the prices with that of the swap; all anew, from the curve, if it was too small."""
        amount_in, amount_out = trade.amount_in * trade.precision_in, trade.amount_out * trade.precision_out
        if min(trade.amount_in, trade.amount_out) <= _PRICED:
            price, side = 0, 0
        elif not trade.side_out:
            price, side = amount_out * WAD // amount_in, trade.side_in
        else:
            unit = self.last_prices_wad[trade.side_in - 1] if trade.side_in else WAD
            price, side = unit * amount_in // amount_out, trade.side_out
        if not price:
            return _compute_prices(curve, scaled)
        if price >= MAX_UINT128:
            refuse(f"a price of {price}")
        return (*self.last_prices_wad[: side - 1], price, *self.last_prices_wad[side:])

    def _adjust(self, curve: Curve, scaled: Sequence[int]) -> tuple[Self, Curve]:
        """Return peg and curve with the price scale a step nearer to the average, if the profit bears it."""
        scale, step = curve.price_scale_wad, self.adjustment_step_wad
        pairs = tuple(zip(scale, self.price_oracle_wad, strict=True))
        squared = sum((average * WAD // old - WAD) ** 2 for old, average in pairs)
        if squared <= self.threshold_wad**2:
            return self, curve
        norm = compute_root(squared // WAD)
        if norm < step or not norm:
            refuse(f"a distance of {norm} with steps of {step}")
        moved = tuple((old * (norm - step) + step * average) // norm for old, average in pairs)
        others = zip(scaled[1:], moved, scale, strict=True)
        rescaled = [scaled[0], *(balance * new // old for balance, new, old in others)]
        d = compute_d(curve.flavour, curve.ann, curve.gamma, rescaled)
        value_wad = WAD * compute_value(curve.flavour, d, moved) // self.lp_supply
        if value_wad <= WAD or 2 * value_wad - WAD <= self.xcp_profit_wad:
            return replace(self, not_adjusted=False), curve
        return replace(self, virtual_price_wad=value_wad), curve._replace(d=d, price_scale_wad=moved)


def compute_half_power(power_wad: int) -> int:
    """Return 0.5 to ``power_wad``, with 18 decimals, to 1e-8 of it; mirror of ``halfpow``.

    Raises:
        PoolRevertError: 255 terms of the binomial series do not do.
    """
    whole, part = divmod(power_wad, WAD)
    if whole > _HALVES:
        return 0
    term, total, sign = WAD, WAD, 1
    for count in range(1, _ROUNDS):
        factor = part - (count - 1) * WAD
        sign = -sign if factor > 0 else sign
        term = term * (abs(factor) * (WAD // 2) // WAD) // (count * WAD)
        total += sign * term
        if term < _HALF_PRECISION:
            break
    else:
        refuse("the power does not converge", "Did not converge")
    return int(WAD // 2**whole) * total // WAD


def compute_root(x_wad: int) -> int:
    """Return the square root with 18 decimals by Newton; mirror of ``sqrt_int``.

    Raises:
        PoolRevertError: 256 rounds do not converge.
    """
    root, guess = x_wad, (x_wad + WAD) // 2
    for _ in range(_ROUNDS if x_wad else 0):
        if guess == root:
            break
        root, guess = guess, (x_wad * WAD // guess + guess) // 2
    else:
        if x_wad:
            refuse("the root does not converge", "Did not converge")
    return root


def _compute_prices(curve: Curve, scaled: Sequence[int]) -> tuple[int, ...]:
    """Return the curve's prices from a millionth of token 0 more."""
    more = scaled[0] // 10**6
    raised = [scaled[0] + more, *scaled[1:]]
    prices = []
    for side, scale in enumerate(curve.price_scale_wad, 1):
        left, _ = compute_y(curve.flavour, curve.ann, curve.gamma, raised, curve.d, side)
        if left >= scaled[side]:
            refuse("the curve is flat")
        prices.append(scale * more // (scaled[side] - left))
    return tuple(prices)
