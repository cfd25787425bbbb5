"""What a swap does to a CryptoSwap pool besides its balances: ``tweak_price`` of the contracts.

The pool keeps an average over time of its own prices. Where its profit allows it, a swap moves the
price scale, around which liquidity is concentrated, a step towards that average.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from math import isqrt
from typing import Any, NamedTuple, Self

from onchain_exec.core.fixed_point import WAD
from onchain_exec.venues.curve.crypto.arithmetic import CryptoFlavour
from onchain_exec.venues.curve.crypto.invariant import compute_d, compute_prices, compute_value
from onchain_exec.venues.curve.crypto.wad_exp import exp_of_negative
from onchain_exec.venues.curve.ramp import Ramp
from onchain_exec.venues.curve.revert import refuse


class Curve(NamedTuple):
    """The invariant and the price scale it is on: what `Peg.settle` takes and gives anew."""

    flavour: CryptoFlavour
    ann: int
    gamma: int
    d: int
    price_scale_wad: tuple[int, ...]


class Trade(NamedTuple):
    """What went in and out, in base units of two of the pool's tokens, and what makes 18 decimals of each."""

    side_in: int
    amount_in: int
    precision_in: int
    side_out: int
    amount_out: int
    precision_out: int


@dataclass(frozen=True, slots=True)
class Peg:
    """What moves D and the price scale. Prices are of tokens 1 and on in token 0.

    ``traded_at`` is the time (unix seconds) of the block whose swaps are computed, ``averaged_at`` that
    of the last swap that updated ``price_oracle_wad``, as the contract stores it. ``ramp`` is of A and
    gamma. ``lp_supply`` is of the pool's own token.
    """

    price_oracle_wad: tuple[int, ...] = field(compare=False)  # read, its last digit may not be known
    last_prices_wad: tuple[int, ...]
    averaged_at: int
    traded_at: int
    lp_supply: int
    virtual_price_wad: int
    xcp_profit_wad: int
    allowed_extra_profit_wad: int
    adjustment_step_wad: int
    ma_time_s: int
    ramp: Ramp

    @property
    def recomputes_d(self) -> bool:
        """Whether a swap meets the invariant of its balances, and not the stored one."""
        return self.ramp.is_moving(self.traded_at)

    def settle(self, curve: Curve, scaled: Sequence[int], trade: Trade, k0: int) -> tuple[Self, Curve]:
        """Return the peg and the curve after a swap that left the ``scaled`` balances.

        ``k0`` is what `arithmetic.compute_y` told of the swap, which is ``trade``. Mirror of
        ``tweak_price``.

        Raises:
            PoolRevertError: the swap would lose value ("Loss" in tricrypto-ng), as the smallest do, or
                leaves the balances too far apart.
        """
        scale, average = curve.price_scale_wad, self._average(curve.price_scale_wad)
        d = compute_d(curve.flavour, curve.ann, curve.gamma, scaled, k0)
        prices = compute_prices(curve.ann, curve.gamma, scaled, d)
        value_wad = WAD * compute_value(curve.flavour, d, scale) // self.lp_supply
        if self.ramp.ends_at < self.traded_at and value_wad <= self.virtual_price_wad:
            refuse("the pool would lose value", curve.flavour.loss)
        after = replace(
            self,
            price_oracle_wad=average,
            last_prices_wad=tuple(p * s // WAD for p, s in zip(prices, scale, strict=True)),
            averaged_at=max(self.averaged_at, self.traded_at),
            virtual_price_wad=value_wad,
            xcp_profit_wad=self.xcp_profit_wad * value_wad // self.virtual_price_wad,
        )
        settled = curve._replace(d=d)
        if 2 * value_wad - WAD <= after.xcp_profit_wad + 2 * self.allowed_extra_profit_wad:
            return after, settled
        return after._follow_average(settled, scaled)

    def to_json(self) -> dict[str, Any]:
        """Return the state as JSON values, integers as strings."""
        return {one.name: _to_json(getattr(self, one.name)) for one in fields(self)}

    @classmethod
    def from_json(cls, state: dict[str, Any]) -> Self:
        """Return the peg that `to_json` wrote."""
        return cls(**{one.name: _from_json(state[one.name]) for one in fields(cls)})

    def _average(self, scale: Sequence[int]) -> tuple[int, ...]:
        """Return the average at ``traded_at``; the last price counts as at most twice the price scale."""
        if self.averaged_at >= self.traded_at:
            return self.price_oracle_wad
        keep = get_average_weight(self.traded_at - self.averaged_at, self.ma_time_s)
        triples = zip(self.last_prices_wad, scale, self.price_oracle_wad, strict=True)
        return tuple((min(p, 2 * s) * (WAD - keep) + old * keep) // WAD for p, s, old in triples)

    def _follow_average(self, curve: Curve, scaled: Sequence[int]) -> tuple[Self, Curve]:
        """Return peg and curve with the price scale a step nearer to the average, if the profit bears it."""
        scale = curve.price_scale_wad
        ratios = [p * WAD // s - WAD for p, s in zip(self.price_oracle_wad, scale, strict=True)]
        norm = isqrt(sum(ratio**2 for ratio in ratios))
        step = max(self.adjustment_step_wad, norm // 5)
        if norm <= step:
            return self, curve
        pairs = zip(scale, self.price_oracle_wad, strict=True)
        moved = tuple((s * (norm - step) + step * p) // norm for s, p in pairs)
        others = zip(scaled[1:], moved, scale, strict=True)
        rescaled = [scaled[0], *(balance * new // old for balance, new, old in others)]
        d = compute_d(curve.flavour, curve.ann, curve.gamma, rescaled)
        value_wad = WAD * compute_value(curve.flavour, d, moved) // self.lp_supply
        if value_wad <= WAD or 2 * value_wad - WAD <= self.xcp_profit_wad:
            return self, curve
        return replace(self, virtual_price_wad=value_wad), curve._replace(d=d, price_scale_wad=moved)


def get_average_weight(elapsed_s: int, ma_time_s: int) -> int:
    """Return what is left, in 1e-18, of the weight of an average after some time: e**(-elapsed / time)."""
    return exp_of_negative(-(elapsed_s * WAD // ma_time_s)) if elapsed_s > 0 else WAD


def _to_json(value: Any) -> Any:
    match value:
        case bool():
            return value
        case Ramp():
            return value.to_json()
        case tuple():
            return [str(price) for price in value]
        case _:
            return str(value)


def _from_json(value: Any) -> Any:
    match value:
        case bool():
            return value
        case dict():
            return Ramp.from_json(value)
        case list():
            return tuple(int(price) for price in value)
        case _:
            return int(value)
