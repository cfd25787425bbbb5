"""Perpetual Protocol v1 on an in-process EVM: the real contracts, some people, and a clock."""

from __future__ import annotations

from dataclasses import dataclass

from evm_reading import perform

from onchain_exec.app.sandbox.derivatives.perp_v1 import PerpV1, deploy_perp_v1
from onchain_exec.app.sandbox.erc20 import approve, fund
from onchain_exec.core import Address, Call, to_address
from onchain_exec.core.fixed_point import WAD
from onchain_exec.testing.evm import LocalEvm
from onchain_exec.venues.perpetuals.perp_v1 import PerpV1Venue, read_perp_v1

WHALE, DEALER, KEEPER = (to_address(bytes(19) + bytes([0xB0 + n])) for n in range(3))
OWNERS = (WHALE, DEALER, KEEPER)
FEED_PRICES = {"ETH": 3_000, "BTC": 60_000}


@dataclass(frozen=True, slots=True)
class Vamm:
    """The protocol, with what tests do to it."""

    evm: LocalEvm
    at: PerpV1

    def read(self, leverage_wad: int = 5 * WAD) -> PerpV1Venue:
        """The venue as it stands."""
        return PerpV1Venue(perform(self.evm, read_perp_v1(self.at.clearing_house, OWNERS)), leverage_wad)

    def act(self, call: Call) -> bytes:
        """Send what an action describes, in a block of its own."""
        assert call.to is not None
        assert call.sender is not None
        self.evm.timestamp = self.evm.timestamp  # a new block
        return self.evm.call(call.sender, call.to, call.data, call.value_wei)

    def wait(self, seconds: int) -> None:
        self.evm.timestamp += seconds

    def set_index(self, symbol: str, price_wad: int) -> None:
        self.at.set_price(symbol, price_wad, self.evm.timestamp)

    def market(self, symbol: str) -> Address:
        return self.at.markets[symbol]


def start_vamm() -> Vamm:
    """Deploy, and give everybody and the insurance fund money."""
    evm = LocalEvm()
    vamm = Vamm(evm, deploy_perp_v1(evm, 1337, evm.timestamp))
    for owner in OWNERS:
        fund(evm, vamm.at.quote, owner, 10**15)
        approve(evm, vamm.at.quote, owner, vamm.at.clearing_house)
    fund(evm, vamm.at.quote, vamm.at.deployed.at["InsuranceFund"], 10**13)
    vamm.wait(12)
    return vamm
