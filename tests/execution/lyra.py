"""Lyra's option market on a chain of one's own: its real bytecode, wired as its own test system is
(``dist/test/utils/deployTestSystem.js`` and ``seedTestSystem.js`` of @lyrafinance/protocol)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from eth_abi import encode
from eth_utils import keccak
from eth_utils.abi import collapse_if_tuple

from onchain_exec.app.sandbox.artifacts import Contract, read_contract
from onchain_exec.app.sandbox.chain_evm import ChainEvm
from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.core import ZERO_ADDRESS, Address

PACKAGE = "@lyrafinance/protocol"
FOLDERS = {"BlackScholes": "libraries", "GWAV": "libraries"}
HOUR, DAY, WEEK = 3_600, 86_400, 604_800
MAX = 2**256 - 1
SECURITY = "0x" + "efee" * 10
POOL = "OptionMarket"
CORE = (
    "OptionMarket",
    "OptionMarketPricer",
    "LiquidityPool",
    "ShortCollateral",
    "ShortPoolHedger",
    "SynthetixAdapter",
)
STAND_INS = {  # the package's own, of Synthetix
    "synthetix": "TestSynthetixReturnZero",
    "exchanger": "TestExchanger",
    "rates": "TestExchangeRates",
    "short": "TestCollateralShort",
    "delegates": "TestDelegateApprovals",
    "resolver": "TestAddressResolver",
}


def wad(text: str) -> int:
    return int(Decimal(text) * 10**18)


def named(text: str) -> bytes:
    return text.encode().ljust(32, b"\0")


def to_call(contract: Contract, name: str, *arguments: Any) -> bytes:
    """Calldata by the ABI; a mapping is a struct by the names of its fields."""
    item = next(
        item
        for item in contract.abi
        if item.get("name") == name and item["type"] == "function" and len(item["inputs"]) == len(arguments)
    )
    kinds = [collapse_if_tuple(part) for part in item["inputs"]]
    values = [
        [value[part["name"]] for part in entry["components"]] if isinstance(value, Mapping) else value
        for entry, value in zip(item["inputs"], arguments, strict=True)
    ]
    return keccak(text=f"{name}({','.join(kinds)})")[:4] + encode(kinds, values)


@dataclass
class Lyra:
    """The contracts by name, deployed and wired; the deployer owns and trades."""

    evm: ChainEvm
    contracts: dict[str, Contract]
    at: dict[str, Address]

    def call(self, target: str, function: str, *arguments: Any) -> None:
        self.evm.call(DEPLOYER, self.at[target], self.encode(target, function, *arguments))

    def encode(self, target: str, function: str, *arguments: Any) -> bytes:
        return to_call(self.contracts[target], function, *arguments)

    def add(
        self, name: str, artifact: str, *arguments: Any, libraries: Mapping[str, Address] | None = None
    ) -> None:
        path = FOLDERS.get(artifact, "test-helpers" if artifact.startswith("Test") else "")
        self.contracts[name] = read_contract(
            PACKAGE, f"dist/artifacts/contracts/{path and path + '/'}{artifact}.sol/{artifact}.json"
        )
        code = self.contracts[name].creation_code(*arguments, libraries=libraries)
        self.at[name] = self.evm.deploy(code)


def deploy_lyra(evm: ChainEvm, now: int) -> Lyra:
    """Deploy a market of options on sETH with one board of three strikes, liquidity, and a hedger."""
    lyra = Lyra(evm, {}, {})
    _deploy(lyra)
    _wire(lyra)
    _set_parameters(lyra)
    _seed(lyra, now)
    return lyra


def _deploy(lyra: Lyra) -> None:
    for name in ("GWAV", "BlackScholes", *CORE):
        lyra.add(name, name)
    libraries = {name: lyra.at[name] for name in ("GWAV", "BlackScholes")}
    lyra.add("OptionGreekCache", "OptionGreekCache", libraries=libraries)
    lyra.add("LiquidityToken", "LiquidityToken", "Pool Tokens", "LP")
    lyra.add("OptionToken", "OptionToken", "Option Tokens", "OT")
    for name, artifact in STAND_INS.items():
        lyra.add(name, artifact)
    lyra.add("quote", "TestERC20Fail", "Synthetic USD", "sUSD")
    lyra.add("base", "TestERC20Fail", "Synthetic ETH", "sETH")


def _wire(lyra: Lyra) -> None:
    at = lyra.at
    market, pricer, pool = at["OptionMarket"], at["OptionMarketPricer"], at["LiquidityPool"]
    cache, collateral, hedger = at["OptionGreekCache"], at["ShortCollateral"], at["ShortPoolHedger"]
    adapter, options, quote, base = at["SynthetixAdapter"], at["OptionToken"], at["quote"], at["base"]
    lyra.call("SynthetixAdapter", "initialize")
    lyra.call("synthetix", "init", adapter, quote, at["resolver"])
    lyra.call("short", "init", adapter, quote)
    names = ("ProxySynthetix", "Exchanger", "ExchangeRates", "CollateralShort", "DelegateApprovals")
    stands = [at[name] for name in ("synthetix", "exchanger", "rates", "short", "delegates")]
    lyra.call("resolver", "setAddresses", [named(name) for name in names], stands)
    for token in ("quote", "base"):
        for minter in ("synthetix", "short"):
            lyra.call(token, "permitMint", at[minter], True)
    lyra.call("SynthetixAdapter", "setAddressResolver", at["resolver"])
    lyra.call("SynthetixAdapter", "updateSynthetixAddresses")
    for stand_in in ("synthetix", "short"):
        lyra.call(stand_in, "addBaseAsset", named("sETH"), base, market)
    lyra.call("OptionMarket", "init", adapter, pool, pricer, cache, collateral, options, quote, base)
    lyra.call("OptionMarketPricer", "init", market, cache)
    lyra.call("OptionGreekCache", "init", adapter, market, pricer)
    lyra.call(
        "LiquidityPool", "init", adapter, market, at["LiquidityToken"], cache, hedger, collateral, quote, base
    )
    lyra.call("LiquidityToken", "init", pool)
    lyra.call("ShortPoolHedger", "init", adapter, market, cache, pool, quote, base)
    lyra.call("ShortCollateral", "init", market, pool, options, adapter, quote, base)
    lyra.call("OptionToken", "init", market, cache, collateral, adapter)
    lyra.call(
        "SynthetixAdapter", "setGlobalsForContract", market, named("sUSD"), named("sETH"), SECURITY, bytes(32)
    )


def _set_parameters(lyra: Lyra) -> None:
    """The package's ``defaultParams.js``."""
    for contract, setter, parameters in PARAMETERS:
        lyra.call(contract, setter, parameters)
    lyra.call("ShortPoolHedger", "setShortBuffer", wad("2"))
    lyra.call("exchanger", "setFeeRateForExchange", named("sETH"), named("sUSD"), wad("0.0075"))
    lyra.call("exchanger", "setFeeRateForExchange", named("sUSD"), named("sETH"), wad("0.005"))
    lyra.call("rates", "setRateAndInvalid", named("sETH"), wad("1742.01337"), False)


def _seed(lyra: Lyra, now: int) -> None:
    lyra.call("quote", "mint", DEPLOYER, wad("1500000"))
    lyra.call("base", "mint", DEPLOYER, wad("10000"))
    for token, spender in (("quote", "LiquidityPool"), ("quote", POOL), ("base", POOL)):
        lyra.call(token, "approve", lyra.at[spender], MAX)
    lyra.call("LiquidityPool", "initiateDeposit", DEPLOYER, wad("500000"))
    lyra.call("ShortPoolHedger", "openShortAccount")
    lyra.call("ShortPoolHedger", "hedgeDelta")
    lyra.call("ShortPoolHedger", "hedgeDelta")
    strikes, skews = [wad(p) for p in ("1500", "2000", "2500")], [wad(s) for s in ("0.9", "1", "1.1")]
    lyra.call("OptionMarket", "createOptionBoard", now + 28 * DAY, wad("1"), strikes, skews, False)


PARAMETERS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    (
        "OptionMarket",
        "setOptionMarketParams",
        {
            "securityModule": SECURITY,
            "feePortionReserved": wad("0.1"),
            "maxBoardExpiry": 365 * DAY,
            "staticBaseSettlementFee": wad("0.0075"),
        },
    ),
    (
        "LiquidityPool",
        "setLiquidityPoolParameters",
        {
            "minDepositWithdraw": wad("1"),
            "depositDelay": WEEK,
            "withdrawalDelay": WEEK,
            "withdrawalFee": wad("0.01"),
            "liquidityCBThreshold": wad("0.01"),
            "liquidityCBTimeout": 3 * DAY,
            "ivVarianceCBThreshold": wad("0.1"),
            "skewVarianceCBThreshold": wad("0.35"),
            "ivVarianceCBTimeout": 12 * HOUR,
            "skewVarianceCBTimeout": 12 * HOUR,
            "guardianMultisig": ZERO_ADDRESS,
            "guardianDelay": 2 * WEEK,
            "boardSettlementCBTimeout": 6 * HOUR,
            "maxFeePaid": wad("0.01"),
        },
    ),
    ("ShortPoolHedger", "setPoolHedgerParams", {"interactionDelay": DAY, "hedgeCap": MAX}),
    (
        "OptionGreekCache",
        "setGreekCacheParameters",
        {
            "maxStrikesPerBoard": 30,
            "acceptableSpotPricePercentMove": wad("0.05"),
            "staleUpdateDuration": 3 * HOUR,
            "varianceIvGWAVPeriod": DAY,
            "varianceSkewGWAVPeriod": 3 * DAY,
            "optionValueIvGWAVPeriod": DAY,
            "optionValueSkewGWAVPeriod": 3 * DAY,
            "gwavSkewFloor": wad("0.5"),
            "gwavSkewCap": wad("2"),
            "rateAndCarry": wad("0.05"),
        },
    ),
    (
        "OptionGreekCache",
        "setMinCollateralParameters",
        {
            "minStaticBaseCollateral": wad("0.2"),
            "minStaticQuoteCollateral": wad("200"),
            "shockVolA": wad("2.5"),
            "shockVolPointA": 2 * WEEK,
            "shockVolB": wad("1.8"),
            "shockVolPointB": 8 * WEEK,
            "callSpotPriceShock": wad("1.2"),
            "putSpotPriceShock": wad("0.8"),
        },
    ),
    (
        "OptionGreekCache",
        "setForceCloseParameters",
        {
            "ivGWAVPeriod": 12 * HOUR,
            "skewGWAVPeriod": DAY,
            "shortVolShock": wad("1.2"),
            "shortPostCutoffVolShock": wad("1.4"),
            "longVolShock": wad("0.8"),
            "longPostCutoffVolShock": wad("0.5"),
            "liquidateVolShock": wad("1.3"),
            "liquidatePostCutoffVolShock": wad("1.6"),
            "shortSpotMin": wad("0.01"),
            "liquidateSpotMin": wad("0.02"),
        },
    ),
    (
        "OptionMarketPricer",
        "setPricingParams",
        {
            "optionPriceFeeCoefficient": wad("0.01"),
            "optionPriceFee1xPoint": 6 * WEEK,
            "optionPriceFee2xPoint": 16 * WEEK,
            "spotPriceFeeCoefficient": wad("0.01"),
            "spotPriceFee1xPoint": 6 * WEEK,
            "spotPriceFee2xPoint": 12 * WEEK,
            "vegaFeeCoefficient": wad("100"),
            "standardSize": wad("5"),
            "skewAdjustmentFactor": wad("0.75"),
        },
    ),
    (
        "OptionMarketPricer",
        "setTradeLimitParams",
        {
            "maxBaseIV": wad("2"),
            "maxSkew": wad("1.5"),
            "minBaseIV": wad("0.35"),
            "minSkew": wad("0.5"),
            "minDelta": wad("0.15"),
            "minForceCloseDelta": wad("0.25"),
            "minVol": wad("0.55"),
            "maxVol": wad("3"),
            "tradingCutoff": DAY // 2,
            "absMaxSkew": wad("5"),
            "absMinSkew": wad("0.15"),
            "capSkewsToAbs": False,
        },
    ),
    (
        "OptionMarketPricer",
        "setVarianceFeeParams",
        {
            "defaultVarianceFeeCoefficient": wad("0.25"),
            "forceCloseVarianceFeeCoefficient": wad("0.25"),
            "skewAdjustmentCoefficient": wad("3"),
            "referenceSkew": wad("1"),
            "minimumStaticSkewAdjustment": wad("1"),
            "vegaCoefficient": wad("0.01"),
            "minimumStaticVega": 0,
            "ivVarianceCoefficient": wad("1.5"),
            "minimumStaticIvVariance": wad("1"),
        },
    ),
    (
        "OptionToken",
        "setPartialCollateralParams",
        {
            "penaltyRatio": wad("0.2"),
            "liquidatorFeeRatio": wad("0.4"),
            "smFeeRatio": wad("0.3"),
            "minLiquidationFee": wad("15"),
        },
    ),
)
