"""How governance configured a reserve: the bits of ``DataTypes.ReserveConfigurationMap``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReserveConfig:
    """A reserve's rules. Basis points; ``borrow_cap`` and ``supply_cap`` in whole tokens and
    ``debt_ceiling`` in cents, each 0 where there is none. A ceiling makes it an isolated collateral.

    ``liquidation_bonus_bps`` counts the debt itself: 10,500 is 5 %.
    """

    ltv_bps: int
    liquidation_threshold_bps: int
    liquidation_bonus_bps: int
    decimals: int
    is_active: bool
    is_frozen: bool
    may_borrow: bool
    is_paused: bool
    borrowable_in_isolation: bool
    is_siloed: bool
    reserve_factor_bps: int
    borrow_cap: int
    supply_cap: int
    protocol_fee_bps: int
    emode: int
    debt_ceiling: int

    @classmethod
    def decode(cls, data: int) -> ReserveConfig:
        """Return what the bitmap of ``ReserveConfiguration`` says."""

        def read(start: int, bits: int) -> int:
            return data >> start & ((1 << bits) - 1)

        return cls(
            ltv_bps=read(0, 16),
            liquidation_threshold_bps=read(16, 16),
            liquidation_bonus_bps=read(32, 16),
            decimals=read(48, 8),
            is_active=bool(read(56, 1)),
            is_frozen=bool(read(57, 1)),
            may_borrow=bool(read(58, 1)),
            is_paused=bool(read(60, 1)),
            borrowable_in_isolation=bool(read(61, 1)),
            is_siloed=bool(read(62, 1)),
            reserve_factor_bps=read(64, 16),
            borrow_cap=read(80, 36),
            supply_cap=read(116, 36),
            protocol_fee_bps=read(152, 16),
            emode=read(168, 8),
            debt_ceiling=read(212, 40),
        )

    @property
    def unit(self) -> int:
        """Base units of one whole token."""
        return int(10**self.decimals)


@dataclass(frozen=True, slots=True)
class EMode:
    """An efficiency mode: what collateral of one kind counts when only that kind is borrowed.

    ``price`` takes the place of its assets' own, where the mode has a source of its own (else 0).
    """

    id: int
    ltv_bps: int
    liquidation_threshold_bps: int
    liquidation_bonus_bps: int
    price: int = 0
