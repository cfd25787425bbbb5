"""Lyra's option market on a chain of one's own: its real bytecode, wired as its own test system is
(``dist/test/utils/deployTestSystem.js`` and ``seedTestSystem.js`` of @lyrafinance/protocol)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from onchain_exec.app.sandbox.artifacts import read_contract
from onchain_exec.app.sandbox.derivatives.deployed import Deployed
from onchain_exec.app.sandbox.derivatives.lyra_parameters import DAY, PARAMETERS, SECURITY_MODULE, wad
from onchain_exec.app.sandbox.evm import DEPLOYER, Evm
from onchain_exec.core import Address
from onchain_exec.core.fixed_point import MAX_UINT256
from onchain_exec.venues.options.lyra.state import Contracts

PACKAGE: Final = "@lyrafinance/protocol"
_FOLDERS: Final = {"BlackScholes": "libraries/", "GWAV": "libraries/"}
_CORE: Final = (
    "OptionMarket",
    "OptionMarketPricer",
    "LiquidityPool",
    "ShortCollateral",
    "ShortPoolHedger",
    "SynthetixAdapter",
)
_STAND_INS: Final = {  # the package's own, of Synthetix
    "synthetix": "TestSynthetixReturnZero",
    "exchanger": "TestExchanger",
    "rates": "TestExchangeRates",
    "short": "TestCollateralShort",
    "delegates": "TestDelegateApprovals",
    "resolver": "TestAddressResolver",
}
_ROLES: Final = {
    "market": "OptionMarket",
    "pricer": "OptionMarketPricer",
    "greek_cache": "OptionGreekCache",
    "pool": "LiquidityPool",
    "option_token": "OptionToken",
    "short_collateral": "ShortCollateral",
    "adapter": "SynthetixAdapter",
    "quote": "quote",
    "base": "base",
}
STRIKES: Final = (("1500", "0.9"), ("2000", "1"), ("2500", "1.1"))
"""Strike prices of the seeded board in quote, and their skews."""


def deploy_lyra(evm: Evm, now: int) -> Deployed:
    """Deploy a market of options on sETH with one board of `STRIKES` that expires in 28 days after ``now``
    (the chain's time), 500,000 sUSD of liquidity, and a hedger. The deployer holds a million sUSD, 10,000
    sETH, and has approved the market."""
    lyra = Deployed(evm)
    _deploy(lyra)
    _wire(lyra)
    _set_parameters(lyra)
    _seed(lyra, now)
    return lyra


def get_contracts(lyra: Deployed) -> Contracts:
    """Return where the contracts stand that `venues.options.lyra` reads."""
    return Contracts(**{role: lyra.at[name] for role, name in _ROLES.items()})


def _add(
    lyra: Deployed, role: str, artifact: str, *arguments: Any, libraries: Mapping[str, Address] | None = None
) -> None:
    folder = _FOLDERS.get(artifact, "test-helpers/" if artifact.startswith("Test") else "")
    path = f"dist/artifacts/contracts/{folder}{artifact}.sol/{artifact}.json"
    lyra.deploy(role, read_contract(PACKAGE, path), *arguments, libraries=libraries)


def _deploy(lyra: Deployed) -> None:
    for name in ("GWAV", "BlackScholes", *_CORE):
        _add(lyra, name, name)
    libraries = {name: lyra.at[name] for name in ("GWAV", "BlackScholes")}
    _add(lyra, "OptionGreekCache", "OptionGreekCache", libraries=libraries)
    _add(lyra, "LiquidityToken", "LiquidityToken", "Pool Tokens", "LP")
    _add(lyra, "OptionToken", "OptionToken", "Option Tokens", "OT")
    for name, artifact in _STAND_INS.items():
        _add(lyra, name, artifact)
    _add(lyra, "quote", "TestERC20Fail", "Synthetic USD", "sUSD")
    _add(lyra, "base", "TestERC20Fail", "Synthetic ETH", "sETH")


def _wire(lyra: Deployed) -> None:
    at = lyra.at
    market, pricer, pool = at["OptionMarket"], at["OptionMarketPricer"], at["LiquidityPool"]
    cache, collateral, hedger = at["OptionGreekCache"], at["ShortCollateral"], at["ShortPoolHedger"]
    adapter, options, quote, base = at["SynthetixAdapter"], at["OptionToken"], at["quote"], at["base"]
    lyra.call("SynthetixAdapter", "initialize")
    lyra.call("synthetix", "init", adapter, quote, at["resolver"])
    lyra.call("short", "init", adapter, quote)
    names = ("ProxySynthetix", "Exchanger", "ExchangeRates", "CollateralShort", "DelegateApprovals")
    stands = [at[name] for name in ("synthetix", "exchanger", "rates", "short", "delegates")]
    lyra.call("resolver", "setAddresses", [_name(name) for name in names], stands)
    for token in ("quote", "base"):
        for minter in ("synthetix", "short"):
            lyra.call(token, "permitMint", at[minter], True)
    lyra.call("SynthetixAdapter", "setAddressResolver", at["resolver"])
    lyra.call("SynthetixAdapter", "updateSynthetixAddresses")
    for stand_in in ("synthetix", "short"):
        lyra.call(stand_in, "addBaseAsset", _name("sETH"), base, market)
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
        "SynthetixAdapter",
        "setGlobalsForContract",
        market,
        _name("sUSD"),
        _name("sETH"),
        SECURITY_MODULE,
        bytes(32),
    )


def _set_parameters(lyra: Deployed) -> None:
    """The package's ``defaultParams.js``."""
    for contract, setter, parameters in PARAMETERS:
        lyra.call(contract, setter, parameters)
    lyra.call("ShortPoolHedger", "setShortBuffer", wad("2"))
    lyra.call("exchanger", "setFeeRateForExchange", _name("sETH"), _name("sUSD"), wad("0.0075"))
    lyra.call("exchanger", "setFeeRateForExchange", _name("sUSD"), _name("sETH"), wad("0.005"))
    lyra.call("rates", "setRateAndInvalid", _name("sETH"), wad("1742.01337"), False)


def _seed(lyra: Deployed, now: int) -> None:
    lyra.call("quote", "mint", DEPLOYER, wad("1500000"))
    lyra.call("base", "mint", DEPLOYER, wad("10000"))
    for token, spender in (("quote", "LiquidityPool"), ("quote", "OptionMarket"), ("base", "OptionMarket")):
        lyra.call(token, "approve", lyra.at[spender], MAX_UINT256)
    lyra.call("LiquidityPool", "initiateDeposit", DEPLOYER, wad("500000"))
    lyra.call("ShortPoolHedger", "openShortAccount")
    lyra.call("ShortPoolHedger", "hedgeDelta")
    lyra.call("ShortPoolHedger", "hedgeDelta")
    strikes, skews = ([wad(text) for text in column] for column in zip(*STRIKES, strict=True))
    lyra.call("OptionMarket", "createOptionBoard", now + 28 * DAY, wad("1"), strikes, skews, False)


def _name(text: str) -> bytes:
    return text.encode().ljust(32, b"\0")
