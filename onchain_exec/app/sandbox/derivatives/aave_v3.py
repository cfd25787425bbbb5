"""Aave v3 on a chain of one's own: the pool with its libraries, and reserves whose prices can be set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from onchain_exec.app.sandbox.artifacts import Contract, read_contract
from onchain_exec.app.sandbox.chain_evm import ChainEvm
from onchain_exec.app.sandbox.derivatives.deployed import Deployed
from onchain_exec.app.sandbox.erc20 import approve, fund
from onchain_exec.app.sandbox.evm import DEPLOYER, Evm
from onchain_exec.app.sandbox.sandbox import Sandbox
from onchain_exec.app.sandbox.seed.prices import get_amount
from onchain_exec.core import ZERO_ADDRESS, Address, Token

_LIBRARIES: Final = ("Borrow", "Supply", "Liquidation", "Pool", "EMode", "Bridge")
_TREASURY: Final = Address("0x" + "7e" * 20)
_LENT_USD: Final = 10_000_000
_PERCENT_RAY: Final = 10**25
BASE_UNIT: Final = 10**8
"""One dollar as the oracle counts."""


@dataclass(frozen=True, slots=True)
class ReserveTerms:
    """What a reserve is listed with; basis points, caps in whole tokens, 0 is none.

    ``liquidation_bonus_bps`` counts the debt itself: 10,500 is 5 %. ``debt_ceiling`` is in whole
    dollars and makes the asset an isolated collateral.
    """

    ltv_bps: int
    liquidation_threshold_bps: int
    liquidation_bonus_bps: int
    reserve_factor_bps: int = 1_000
    protocol_fee_bps: int = 1_000
    borrow_cap: int = 0
    supply_cap: int = 0
    debt_ceiling: int = 0
    borrowable_in_isolation: bool = False
    siloed: bool = False
    stable_rate: bool = False
    slope1_percent: int = 4
    slope2_percent: int = 75
    optimal_percent: int = 80


TERMS: Final[Mapping[str, ReserveTerms]] = {
    "WETH": ReserveTerms(8_050, 8_300, 10_500, reserve_factor_bps=1_500, slope2_percent=80),
    "USDC": ReserveTerms(7_700, 8_000, 10_450, borrowable_in_isolation=True, stable_rate=True),
    "WBTC": ReserveTerms(7_300, 7_800, 10_625, reserve_factor_bps=2_000, optimal_percent=45),
    "DAI": ReserveTerms(6_300, 7_700, 10_500, borrowable_in_isolation=True, stable_rate=True),
}
"""As on main net in 2023, of the sandbox's tokens."""

PRICES: Final[Mapping[str, int]] = {
    "WETH": 3_000 * BASE_UNIT,
    "USDC": BASE_UNIT,
    "WBTC": 60_000 * BASE_UNIT,
    "DAI": BASE_UNIT,
}


@dataclass(frozen=True, slots=True)
class AaveMarket:
    """A deployed market; the deployer is its administrator."""

    deployed: Deployed

    @property
    def pool(self) -> Address:
        """The pool's proxy."""
        return self.deployed.at["pool"]

    def list_reserve(self, token: Token, terms: ReserveTerms, price: int) -> None:
        """List a reserve at an oracle price (eight decimals of a dollar)."""
        self.set_price(token, price)
        strategy = self._deploy_strategy(terms)
        names = (f"a{token.symbol}", f"v{token.symbol}", f"s{token.symbol}")
        listing = (
            *(self.deployed.at[name] for name in ("AToken", "StableDebtToken", "VariableDebtToken")),
            token.decimals, strategy, token.address, _TREASURY, ZERO_ADDRESS,
            *(name for name in names for _ in range(2)), b"",
        )  # fmt: skip
        self.configure("initReserves", [listing])
        asset, bounds = token.address, (terms.ltv_bps, terms.liquidation_threshold_bps)
        if terms.liquidation_threshold_bps:
            self.configure("configureReserveAsCollateral", asset, *bounds, terms.liquidation_bonus_bps)
        self.configure("setReserveFactor", asset, terms.reserve_factor_bps)
        self.configure("setLiquidationProtocolFee", asset, terms.protocol_fee_bps)
        self.configure("setReserveBorrowing", asset, True)
        optional = {
            "setReserveStableRateBorrowing": terms.stable_rate,
            "setBorrowCap": terms.borrow_cap,
            "setSupplyCap": terms.supply_cap,
            "setDebtCeiling": terms.debt_ceiling * 100,  # the contract counts cents
            "setBorrowableInIsolation": terms.borrowable_in_isolation,
            "setSiloedBorrowing": terms.siloed,
        }
        for function, value in optional.items():
            if value:
                self.configure(function, asset, value)

    def configure(self, function: str, *arguments: Any) -> None:
        """Call the pool's configurator."""
        self.deployed.call("configurator", function, *arguments)

    def set_price(self, token: Token, price: int) -> None:
        """Set what the oracle tells of a token, in eight decimals of a dollar."""
        self.deployed.call("prices", "setAssetPrice", token.address, price)

    def act(self, sender: Address, function: str, *arguments: Any) -> None:
        """Call the pool as anyone."""
        self.deployed.call("pool", function, *arguments, sender=sender)

    def _deploy_strategy(self, terms: ReserveTerms) -> Address:
        percents = (terms.optimal_percent, 0, terms.slope1_percent, terms.slope2_percent)
        stable = (terms.slope1_percent, terms.slope2_percent, 1, 8, 20)
        rays = (percent * _PERCENT_RAY for percent in (*percents, *stable))
        strategy = _read("protocol/pool", "DefaultReserveInterestRateStrategy")
        return self.deployed.deploy("strategy", strategy, self.deployed.at["provider"], *rays)


def deploy_aave_v3(evm: Evm, tokens: Mapping[str, Token]) -> AaveMarket:
    """Deploy a market with reserves of ``tokens`` (symbols of `TERMS`), and the two dollars among them
    as e-mode category 1. Nothing is supplied."""
    deployed = Deployed(evm)
    _deploy_pool(deployed)
    market = AaveMarket(deployed)
    for symbol, terms in TERMS.items():
        if symbol in tokens:
            market.list_reserve(tokens[symbol], terms, PRICES[symbol])
    market.configure("setEModeCategory", 1, 9_300, 9_500, 10_100, ZERO_ADDRESS, "dollars")
    for symbol in tokens.keys() & {"USDC", "DAI"}:
        market.configure("setAssetEModeCategory", tokens[symbol].address, 1)
    return market


def add_aave_v3(sandbox: Sandbox) -> tuple[Sandbox, AaveMarket]:
    """Deploy a market on a sandbox's chain and lend ten million dollars of each token to it; return the
    sandbox whose profile lists it, and the market."""
    evm, tokens = ChainEvm(sandbox.chain), sandbox.deployment.tokens
    market = deploy_aave_v3(evm, tokens)
    for symbol in TERMS:
        amount = get_amount(tokens[symbol], _LENT_USD)
        fund(evm, tokens[symbol], DEPLOYER, amount)
        approve(evm, tokens[symbol], DEPLOYER, market.pool)
        market.act(DEPLOYER, "supply", tokens[symbol].address, amount, DEPLOYER, 0)
    protocols = {**sandbox.deployment.protocols, "aave_v3": {"pool": market.pool}}
    return replace(sandbox, deployment=replace(sandbox.deployment, protocols=protocols)), market


def _deploy_pool(deployed: Deployed) -> None:
    """Deploy what every reserve needs, as the package's own ``deploy`` scripts do."""
    provider = deployed.deploy(
        "provider", _read("protocol/configuration", "PoolAddressesProvider"), "sandbox", DEPLOYER
    )
    deployed.call("provider", "setACLAdmin", DEPLOYER)
    access = deployed.deploy("access", _read("protocol/configuration", "ACLManager"), provider)
    deployed.call("provider", "setACLManager", access)
    deployed.call("access", "addPoolAdmin", DEPLOYER)
    deployed.call("access", "addEmergencyAdmin", DEPLOYER)
    prices = deployed.deploy("prices", _read("mocks/oracle", "PriceOracle"))
    # the real oracle asks its fallback for what has no source: that is where prices can be set
    oracle = deployed.deploy(
        "oracle", _read("misc", "AaveOracle"), provider, [], [], prices, ZERO_ADDRESS, BASE_UNIT
    )
    deployed.call("provider", "setPriceOracle", oracle)
    data = deployed.deploy("data", _read("misc", "AaveProtocolDataProvider"), provider)
    deployed.call("provider", "setPoolDataProvider", data)
    _deploy_proxy(deployed, "pool", "Pool", _deploy_libraries(deployed), provider)
    configurator = _read("protocol/libraries/logic", "ConfiguratorLogic")
    libraries = {"ConfiguratorLogic": deployed.deploy("ConfiguratorLogic", configurator)}
    _deploy_proxy(deployed, "configurator", "PoolConfigurator", libraries)
    for name in ("AToken", "StableDebtToken", "VariableDebtToken"):
        deployed.deploy(name, _read("protocol/tokenization", name), deployed.at["pool"])


def _deploy_libraries(deployed: Deployed) -> dict[str, Address]:
    names = [f"{subject}Logic" for subject in _LIBRARIES]
    libraries = {name: deployed.deploy(name, _read("protocol/libraries/logic", name)) for name in names}
    flash = _read("protocol/libraries/logic", "FlashLoanLogic")
    return {**libraries, "FlashLoanLogic": deployed.deploy("FlashLoanLogic", flash, libraries=libraries)}


def _deploy_proxy(
    deployed: Deployed, role: str, name: str, libraries: Mapping[str, Address], *arguments: Any
) -> None:
    """Deploy an implementation and let the provider put its proxy before it, where the role then stands."""
    implementation = deployed.deploy(role, _read("protocol/pool", name), *arguments, libraries=libraries)
    deployed.call("provider", f"set{name}Impl", implementation)
    deployed.at[role] = deployed.ask_address("provider", f"get{name}")


def _read(folder: str, name: str) -> Contract:
    return read_contract("@aave/core-v3", f"artifacts/contracts/{folder}/{name}.sol/{name}.json")
