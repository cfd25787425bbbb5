"""Perpetual Protocol v2 on an in-process EVM: the real contracts, some people, and a clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from evm_reading import perform

from onchain_exec.app.sandbox.derivatives.perp_v2 import (
    PerpV2,
    deploy_perp_v2,
    deposit,
    dispatch_price,
    seed_perp_v2,
    send,
    set_price,
)
from onchain_exec.app.sandbox.erc20 import approve, fund
from onchain_exec.core import Address, Call, Exact, to_address
from onchain_exec.core.abi import Function
from onchain_exec.testing.evm import LocalEvm
from onchain_exec.venues.perpetuals.perp_v2.mirror.state import State
from onchain_exec.venues.perpetuals.perp_v2.mirror.swap import Swap
from onchain_exec.venues.perpetuals.perp_v2.reads import read_perp_v2

MAKER, TRADER, KEEPER, GAMBLER = (to_address(bytes(19) + bytes([0xA0 + n])) for n in range(4))
PEOPLE = (MAKER, TRADER, KEEPER, GAMBLER)
FOREVER = 2**40
ACCOUNT_VALUE = Function("getAccountValue(address)", "(int256)")
SPACINGS = {"vETH": 200, "vBTC": 60}
PRICES = {"vETH": 3_000, "vBTC": 60_000}


@dataclass(frozen=True, slots=True)
class Curie:
    """The exchange, with what tests do to it."""

    evm: LocalEvm
    at: PerpV2

    def base(self, symbol: str) -> Address:
        return self.at.markets[symbol].base_token

    def read(self, ticks: dict[Address, Iterable[int]] | None = None) -> State:
        """The exchange as it stands, with all people, markets and collateral."""
        markets = [market.base_token for market in self.at.markets.values()]
        tokens = [token.address for token in self.at.collateral.values()]
        wanted = {base: tuple(of_market) for base, of_market in (ticks or {}).items()}
        house = self.at.contracts["ClearingHouse"]
        return perform(self.evm, read_perp_v2(house, PEOPLE, markets, tokens, wanted))

    def act(self, call: Call) -> bytes:
        """Send what an action describes."""
        assert call.to is not None
        assert call.sender is not None
        return self.evm.call(call.sender, call.to, call.data, call.value_wei)

    def wait(self, seconds: int) -> None:
        self.evm.timestamp += seconds

    def set_index(self, symbol: str, price_wad: int) -> None:
        """A round of the market's feed, now, taken into the means."""
        market = self.at.markets[symbol]
        set_price(self.evm, market.feed, price_wad, self.evm.timestamp)
        dispatch_price(self.evm, market)

    def pause(self, symbol: str) -> None:
        send(self.evm, self.base(symbol), "pause()")

    def ask_value(self, owner: Address) -> int:
        """The account's value in base units, as the vault says."""
        return int.from_bytes(
            self.evm.static_call(self.at.contracts["Vault"], ACCOUNT_VALUE.encode(owner)), signed=True
        )

    def refresh(self, prices_wad: dict[str, int]) -> None:
        for symbol, price_wad in prices_wad.items():
            self.set_index(symbol, price_wad)


def start_curie() -> Curie:
    """Deploy, give everybody collateral, and let the maker provide liquidity in both markets."""
    evm = LocalEvm()

    def warp(seconds: int) -> None:
        evm.timestamp += seconds

    curie = Curie(evm, deploy_perp_v2(evm, 1337, evm.timestamp, warp))
    vault = curie.at.contracts["Vault"]
    for person in PEOPLE:
        for token in (curie.at.settlement, *curie.at.collateral.values()):
            fund(evm, token, person, 10**9 * 10**token.decimals)
            approve(evm, token, person, vault)
    seed_perp_v2(evm, curie.at, MAKER)
    deposit(evm, curie.at, KEEPER, 5_000_000)
    return curie


def buy(amount: int) -> Swap:
    """A long of exactly so much base."""
    return Swap(sells=False, exact=Exact.OUT, amount=amount)


def sell(amount: int) -> Swap:
    """A short of exactly so much base."""
    return Swap(sells=True, exact=Exact.IN, amount=amount)
