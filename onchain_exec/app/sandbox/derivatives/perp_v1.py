"""Perpetual Protocol v1 (vAMM): a clearing house and its markets, on any `Evm`.

The clearing house is larger than EIP-170 allows, so its runtime code is put in place; it has no constructor.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from onchain_exec.app.sandbox.artifacts import Contract, read_contract
from onchain_exec.app.sandbox.deploy.tokens import deploy_token
from onchain_exec.app.sandbox.derivatives.deployed import Deployed
from onchain_exec.app.sandbox.evm import DEPLOYER, Evm
from onchain_exec.app.sandbox.packages import get_package_path
from onchain_exec.core import ZERO_ADDRESS, Address, Token, to_address
from onchain_exec.core.encoding import encode
from onchain_exec.core.fixed_point import WAD

HOUSE = to_address("0x" + "c1ea4" * 8)
"""Where the clearing house is put."""

_PACKAGE = "@perp/contract"
_HOUR_S = 3_600
_RESERVES = {"ETH": (30_000_000, 10_000), "BTC": (60_000_000, 1_000)}
"""Whole quote and base of each market's curve."""
_BRIDGE_GAS = 2_000_000


@dataclass(frozen=True, slots=True)
class PerpV1:
    """What stands where. ``quote`` has 6 decimals and anyone may mint it; ``markets`` by symbol."""

    deployed: Deployed
    quote: Token
    markets: Mapping[str, Address]

    @property
    def clearing_house(self) -> Address:
        """Where positions are opened."""
        return self.deployed.at["ClearingHouse"]

    def set_price(self, symbol: str, price_wad: int, now: int) -> None:
        """Begin a round of a market's index as its bridge would: later than the one before."""
        data = self.deployed.encode("L2PriceFeed", "setLatestData", _key(symbol), price_wad, now, 0)
        feed = self.deployed.at["L2PriceFeed"]
        self.deployed.call("AMBBridgeMock", "requireToPassMessage", feed, data, _BRIDGE_GAS)


def deploy_perp_v1(evm: Evm, chain_id: int, now: int) -> PerpV1:
    """Deploy the protocol with two open markets: 10 % initial and 6.25 % maintenance margin, a toll and a
    spread of 5 bps each, a fluctuation limit of 5 % a block, partial liquidation of a quarter."""
    quote = deploy_token(evm, chain_id, "USDC", 6)
    deployed = Deployed(evm)
    for name in ("InsuranceFund", "L2PriceFeed"):
        deployed.deploy(name, _read(name))
    evm.set_code(HOUSE, _read_runtime("ClearingHouse"))
    deployed.contracts["ClearingHouse"], deployed.at["ClearingHouse"] = _read("ClearingHouse"), HOUSE
    bridge = deployed.deploy("AMBBridgeMock", _read("AMBBridgeMock", "mock/mocks/"))
    fund, house = deployed.at["InsuranceFund"], deployed.at["ClearingHouse"]
    deployed.call("InsuranceFund", "initialize")
    terms = (WAD // 10, WAD // 16, WAD * 125 // 10_000)
    deployed.call("ClearingHouse", "initialize", *terms, fund, ZERO_ADDRESS)
    deployed.call("ClearingHouse", "setPartialLiquidationRatio", (WAD // 4,))
    deployed.call("ClearingHouse", "setTollPool", DEPLOYER)
    deployed.call("InsuranceFund", "setBeneficiary", house)
    deployed.call("L2PriceFeed", "initialize", bridge, DEPLOYER)
    deployed.call("AMBBridgeMock", "mockSetMessageSender", DEPLOYER)
    perp = PerpV1(deployed, quote, {symbol: _list(deployed, symbol, quote) for symbol in _RESERVES})
    for symbol, (quote_reserve, base_reserve) in _RESERVES.items():
        perp.set_price(symbol, quote_reserve * WAD // base_reserve, now)
    return perp


def _list(deployed: Deployed, symbol: str, quote: Token) -> Address:
    """Create, open and list a market."""
    quote_reserve, base_reserve = _RESERVES[symbol]
    amm = deployed.deploy(symbol, _read("Amm"))
    deployed.call("L2PriceFeed", "addAggregator", _key(symbol))
    feed = (deployed.at["L2PriceFeed"], _key(symbol), quote.address)
    limits = (WAD // 20, WAD * 5 // 10_000, WAD * 5 // 10_000)
    reserves = (quote_reserve * WAD, base_reserve * WAD)
    deployed.call(symbol, "initialize", *reserves, WAD * 9 // 10, _HOUR_S, *feed, *limits)
    deployed.call(symbol, "setCounterParty", deployed.at["ClearingHouse"])
    deployed.call(symbol, "setCap", (base_reserve * WAD // 5,), (quote_reserve * WAD // 2,))
    deployed.call(symbol, "setOpen", True)
    deployed.call("InsuranceFund", "addAmm", amm)
    return amm


def _key(symbol: str) -> bytes:
    return encode(["bytes32"], [symbol.encode()])


def _read(name: str, folder: str = "") -> Contract:
    return read_contract(_PACKAGE, f"build/contracts/src/{folder}{name}.sol/{name}.json")


def _read_runtime(name: str) -> bytes:
    path = get_package_path(_PACKAGE) / f"build/contracts/src/{name}.sol/{name}.json"
    return bytes.fromhex(json.loads(path.read_text("utf-8"))["deployedBytecode"][2:])
