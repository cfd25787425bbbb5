"""An account of Perpetual Protocol v2 as every account with collateral is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from onchain_exec.core import Address, BlockRef, Call, Condition, Reading
from onchain_exec.core.abi import Function
from onchain_exec.core.fixed_point import WAD, div_up
from onchain_exec.venues.perpetuals.account import PerpetualAccount
from onchain_exec.venues.perpetuals.perp_v2.reads import read_perp_v2
from onchain_exec.venues.perpetuals.perp_v2.venue import PerpV2Venue

_FREE_BY_RATIO: Final = Function("getFreeCollateralByRatio(address,uint24)", "(int256)")


@dataclass(frozen=True, slots=True)
class PerpV2Account(PerpetualAccount[PerpV2Venue]):
    """Margin is shared by all markets: the health factor is the account's value over what it must keep."""

    @property
    def key(self) -> str:
        """The exchange's name, unique on its chain."""
        return f"perp_v2:{self.venue.state.contracts.clearing_house}"

    @property
    def block(self) -> BlockRef:
        """Where it was read."""
        return self.venue.state.block

    def require_health(self, min_health_factor_wad: int) -> Condition:
        """Return the condition that the vault itself finds free collateral at so many times the maintenance
        ratio: then the health factor is at least this. It asks for more where profit is open."""
        pips = div_up(min_health_factor_wad * self.venue.state.rules.maintenance_margin_pips, WAD)
        call = Call(self.venue.state.contracts.vault, _FREE_BY_RATIO.encode(self.owner, pips))
        return Condition.at_least(call, 0, signed=True, label=f"free collateral at a margin of {pips} pips")


def read_perp_v2_account(
    clearing_house: Address, owner: Address, markets: Iterable[Address] = ()
) -> Reading[PerpV2Account]:
    """Read an account with all that it is in, and ``markets`` besides.

    Raises:
        InputError, StateError: as of `read_perp_v2`.
    """
    state = yield from read_perp_v2(clearing_house, (owner,), tuple(dict.fromkeys(markets)))
    return PerpV2Account(PerpV2Venue(state), owner)
