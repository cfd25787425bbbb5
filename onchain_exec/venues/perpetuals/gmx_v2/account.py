"""An account of GMX v2 as every account with collateral is."""

from __future__ import annotations

from dataclasses import dataclass

from onchain_exec.core import Address, BlockRef, Call, Condition, Reading
from onchain_exec.core.action import Spend
from onchain_exec.core.fixed_point import WAD
from onchain_exec.errors import UnsupportedOrderError
from onchain_exec.venues.perpetuals.account import PerpetualAccount
from onchain_exec.venues.perpetuals.actions import Close, Deposit, PerpetualAction, Withdraw
from onchain_exec.venues.perpetuals.gmx_v2.orders import GmxContracts
from onchain_exec.venues.perpetuals.gmx_v2.reads import SignedPrices, read_gmx_v2
from onchain_exec.venues.perpetuals.gmx_v2.venue import GmxV2Venue
from onchain_exec.venues.perpetuals.venue import AccountState


@dataclass(frozen=True, slots=True)
class GmxV2Account(PerpetualAccount[GmxV2Venue]):
    """Each position has collateral of its own: the health factor is the weakest one's. All that is asked for
    happens in a keeper's transaction."""

    @property
    def key(self) -> str:
        """The exchange's name, unique on its chain."""
        return f"gmx_v2:{self.venue.state.contracts.exchange_router}"

    @property
    def block(self) -> BlockRef:
        """Where it was read."""
        return self.venue.state.block

    def require_health(self, min_health_factor_wad: int) -> Condition:
        """Refuse it.

        Raises:
            UnsupportedOrderError: a guard in the transaction that asks would see nothing of what follows.
        """
        raise UnsupportedOrderError(
            "a guard on an order that a keeper executes later",
            needed="an acceptable price in the order, and limits before it is sent",
        )

    def _name(self, action: PerpetualAction) -> str:
        return f"ask to {action}"

    def _get_health_factor(self, state: AccountState) -> int:
        factor = self.venue.get_health_factor_wad(self.owner)
        return min(factor, WAD - 1) if state.is_liquidatable else factor

    def _list_spends(self, action: PerpetualAction, call: Call) -> tuple[Spend, ...]:
        """Collateral is pulled by GMX's router, of a trade that adds as of a deposit."""
        router = self.venue.state.contracts.router
        match action:
            case Deposit(token, amount, _):
                return (Spend(token.address, amount, router),)
            case Withdraw() | Close():
                return ()
            case _:
                wanted = self.venue.get_collateral_wanted(self.owner, action.market, action.size_wad)
                return (Spend(*wanted, router),) if wanted[1] else ()


def read_gmx_v2_account(
    contracts: GmxContracts, signed: SignedPrices, owner: Address, markets: tuple[Address, ...] = ()
) -> Reading[GmxV2Account]:
    """Read an account with all markets that it is in, and ``markets`` besides.

    Raises:
        InputError, StaleStateError: as of `read_gmx_v2`.
    """
    state = yield from read_gmx_v2(contracts, signed, (owner,), markets)
    return GmxV2Account(GmxV2Venue(state), owner)
