"""An account of Synthetix v3's perpetuals as every account with collateral is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from onchain_exec.core import Address, BlockRef, Call, Condition, Reading, to_address
from onchain_exec.core.fixed_point import WAD, div_up
from onchain_exec.errors import InputError
from onchain_exec.venues.asking import Ask, ask_one_value_each
from onchain_exec.venues.erc20 import BALANCE_OF
from onchain_exec.venues.perpetuals.account import PerpetualAccount
from onchain_exec.venues.perpetuals.synthetix_v3 import contracts as abi
from onchain_exec.venues.perpetuals.synthetix_v3.actions import get_market_id
from onchain_exec.venues.perpetuals.synthetix_v3.reads import read_synthetix_v3
from onchain_exec.venues.perpetuals.synthetix_v3.venue import SynthetixV3Venue


@dataclass(frozen=True, slots=True)
class SynthetixV3Account(PerpetualAccount[SynthetixV3Venue]):
    """Margin is shared by all markets. What it asks for by a trade happens later: guards hold collateral that
    is moved now."""

    @property
    def key(self) -> str:
        """The market's name, unique on its chain."""
        return f"synthetix_v3:{self.venue.state.proxy}"

    @property
    def block(self) -> BlockRef:
        """Where it was read."""
        return self.venue.state.block

    def require_health(self, min_health_factor_wad: int) -> Condition:
        """Return the condition that the contract finds so many times the margin needed when it was read."""
        needed = self.state.maintenance_margin_wad
        call = Call(
            self.venue.state.proxy,
            abi.GET_AVAILABLE_MARGIN.encode(self.venue.find_account(self.owner).id),
        )
        bound = div_up(min_health_factor_wad * needed, WAD)
        return Condition.at_least(call, bound, signed=True, label="available margin")


def read_synthetix_v3_account(
    proxy: Address, owner: Address, markets: Iterable[Address] = ()
) -> Reading[SynthetixV3Account]:
    """Read the first of the owner's accounts with all markets that it is in, and ``markets`` besides.

    Raises:
        InputError: the owner has no account, or as of `read_synthetix_v3`.
    """
    (token,) = yield from ask_one_value_each([Ask(proxy, abi.GET_ACCOUNT_TOKEN)])
    nft = to_address(token)
    (count,) = yield from ask_one_value_each([Ask(nft, BALANCE_OF, (owner,))])
    if not count:
        raise InputError(f"{owner} has no account at {proxy}", needed="one", todo="Create it first")
    (account,) = yield from ask_one_value_each([Ask(nft, abi.TOKEN_OF_OWNER, (owner, 0))])
    wanted = tuple(get_market_id(market) for market in markets)
    state = yield from read_synthetix_v3(proxy, (account,), wanted)
    return SynthetixV3Account(SynthetixV3Venue(state), owner)
