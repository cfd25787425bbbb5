"""Perpetual Protocol v2 (Curie): two markets, three kinds of collateral, on any `Evm`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isqrt

from onchain_exec.app.sandbox.artifacts import Contract, read_contract
from onchain_exec.app.sandbox.deploy.tokens import deploy_token, deploy_weth
from onchain_exec.app.sandbox.erc20 import approve, fund
from onchain_exec.app.sandbox.evm import DEPLOYER, Evm, create_through
from onchain_exec.app.sandbox.seed.positions import TICK_SPACINGS
from onchain_exec.core import Address, Token, address_bytes
from onchain_exec.core.abi import Function
from onchain_exec.core.artifact import get_artifact
from onchain_exec.core.encoding import encode
from onchain_exec.core.fixed_point import MAX_UINT256, Q192, WAD
from onchain_exec.venues.concentrated.tick_math import get_tick_at_sqrt_price
from onchain_exec.venues.perpetuals.perp_v2.contracts import ADD_LIQUIDITY, DEPOSIT

FEED_TIMEOUT_S = 2_400
FEED_DECIMALS = 8
SETTLING_S = 3_600
"""How long a new pool stands before its means over time can be asked for: the longest is 30 minutes."""

_UPDATE_FEED = Function("update(int256,uint256,uint256)")
_CREATE_POOL = Function("createPool(address,address,uint24)", "(address)")
_DISPATCH = Function("dispatchPrice(uint256)")
_NAMES = (
    "QuoteToken", "ClearingHouseConfig", "MarketRegistry", "OrderBook", "InsuranceFund", "AccountBalance",
    "Exchange", "Vault", "CollateralManager", "ClearingHouse", "DelegateApproval",
)  # fmt: skip
_OBSERVATIONS = 200
_SEED_USD, _SEED_WIDTHS = 3_000_000, (4, 25)
_COLLATERAL_RATIO, _DISCOUNT_RATIO = 700_000, 100_000


@dataclass(frozen=True, slots=True)
class Perpetual:
    """A market: its virtual base token, its v3 pool, the feed of its index and what reads that feed."""

    base_token: Address
    pool: Address
    feed: Address
    price_feed: Address


@dataclass(frozen=True, slots=True)
class PerpV2:
    """What stands where. ``settlement`` has 6 decimals; ``collateral`` has each a feed of dollars."""

    contracts: Mapping[str, Address]
    settlement: Token
    collateral: Mapping[str, Token]
    collateral_feeds: Mapping[str, Address]
    markets: Mapping[str, Perpetual]


@dataclass(frozen=True, slots=True)
class _Listing:
    """A market to list. The v3 pool's own fee and the fee that the exchange takes instead, in pips."""

    symbol: str
    usd: int
    pool_fee_pips: int
    exchange_fee_pips: int


_LISTINGS = (_Listing("vETH", 3_000, 10_000, 1_000), _Listing("vBTC", 60_000, 3_000, 2_500))
_COLLATERAL_USD = {"WETH": 3_000, "WBTC": 60_000}


def deploy_perp_v2(evm: Evm, chain_id: int, now: int, warp: Callable[[int], None]) -> PerpV2:
    """Deploy the twelve contracts with their own v3 factory, and open the markets vETH and vBTC.

    ``now`` is the chain's time; ``warp`` moves it on by seconds, which the means over time need.
    Anyone may mint the collateral tokens; feeds have a price of ``now`` and are set by `set_price`.
    """
    settlement = deploy_token(evm, chain_id, "USDC", 6)
    collateral = {"WETH": deploy_weth(evm, chain_id), "WBTC": deploy_token(evm, chain_id, "WBTC", 8)}
    factory = evm.deploy(
        read_contract(
            "@uniswap/v3-core", "artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory.json"
        ).creation_code()
    )
    contracts = {name: _deploy(evm, name) for name in _NAMES}
    # a pool's base token must sort below its quote token
    while address_bytes(contracts["QuoteToken"])[0] < 0x80:
        contracts["QuoteToken"] = _deploy(evm, "QuoteToken")
    contracts["UniswapV3Factory"] = factory
    _wire(evm, contracts, settlement)
    markets = {listing.symbol: _create_market(evm, contracts, listing, now) for listing in _LISTINGS}
    warp(SETTLING_S)
    for listing in _LISTINGS:
        _open_market(evm, contracts, listing, markets[listing.symbol], now + SETTLING_S)
    feeds = {
        symbol: _add_collateral(evm, contracts, collateral[symbol], usd, now + SETTLING_S)
        for symbol, usd in _COLLATERAL_USD.items()
    }
    return PerpV2(contracts, settlement, collateral, feeds, markets)


def deposit(evm: Evm, perp: PerpV2, owner: Address, usd: int) -> None:
    """Give ``owner`` so many whole dollars of the settlement token and put them into the vault."""
    vault, token = perp.contracts["Vault"], perp.settlement
    fund(evm, token, owner, usd * 10**token.decimals)
    approve(evm, token, owner, vault)
    evm.call(owner, vault, DEPOSIT.encode(token.address, usd * 10**token.decimals))


def seed_perp_v2(evm: Evm, perp: PerpV2, maker: Address) -> None:
    """Let ``maker`` provide liquidity worth millions around the price of each market, and insure losses."""
    deposit(evm, perp, maker, 20 * _SEED_USD)
    fund(evm, perp.settlement, perp.contracts["InsuranceFund"], 10**12)
    for listing in _LISTINGS:
        spacing = TICK_SPACINGS[listing.pool_fee_pips]
        tick = get_tick_at_sqrt_price(isqrt(listing.usd * Q192)) // spacing * spacing
        for width in _SEED_WIDTHS:
            where = (tick - width * spacing, tick + width * spacing)
            amounts = (_SEED_USD * WAD // listing.usd, _SEED_USD * WAD)
            terms = (perp.markets[listing.symbol].base_token, *amounts, *where, 0, 0, False, MAX_UINT256)
            evm.call(maker, perp.contracts["ClearingHouse"], ADD_LIQUIDITY.encode(terms))


def set_price(evm: Evm, feed: Address, price_wad: int, now: int) -> None:
    """Begin a round of a feed: dollars per whole token, as of ``now``."""
    answer = price_wad * 10**FEED_DECIMALS // WAD
    evm.call(DEPLOYER, feed, _UPDATE_FEED.encode(answer, now, now))


def dispatch_price(evm: Evm, market: Perpetual) -> None:
    """Let the market's price feed take the newest round into its mean over 15 minutes."""
    evm.call(DEPLOYER, market.price_feed, _DISPATCH.encode(900))


def send(evm: Evm, to: Address, signature: str, *arguments: object) -> None:
    """Call a contract's administrative function as its owner, who is the deployer."""
    evm.call(DEPLOYER, to, Function(signature).encode(*arguments))


def _deploy(evm: Evm, name: str) -> Address:
    path = f"artifacts/contracts/{name}.sol/{name}.json"
    return evm.deploy(read_contract("@perp/curie-contract", path).creation_code())


def _wire(evm: Evm, at: Mapping[str, Address], settlement: Token) -> None:
    config, registry, book, exchange = (
        at["ClearingHouseConfig"], at["MarketRegistry"], at["OrderBook"], at["Exchange"]
    )  # fmt: skip
    fund, balances, vault, house = at["InsuranceFund"], at["AccountBalance"], at["Vault"], at["ClearingHouse"]
    send(evm, at["QuoteToken"], "initialize(string,string)", "virtual dollar", "vUSD")
    send(evm, config, "initialize()")
    send(evm, config, "setSettlementTokenBalanceCap(uint256)", MAX_UINT256)
    send(evm, registry, "initialize(address,address)", at["UniswapV3Factory"], at["QuoteToken"])
    send(evm, book, "initialize(address)", registry)
    send(evm, fund, "initialize(address)", settlement.address)
    send(evm, balances, "initialize(address,address)", config, book)
    send(evm, exchange, "initialize(address,address,address)", registry, book, config)
    send(evm, exchange, "setAccountBalance(address)", balances)
    send(evm, book, "setExchange(address)", exchange)
    send(evm, vault, "initialize(address,address,address,address)", fund, config, balances, exchange)
    send(evm, fund, "setVault(address)", vault)
    send(evm, balances, "setVault(address)", vault)
    manager = at["CollateralManager"]
    kinds = "initialize(address,address,uint8,uint24,uint24,uint24,uint24,uint256,uint256)"
    limits = (5, 5_000, 750_000, 500_000, 30_000, 10_000 * 10**6, 500 * 10**6)
    send(evm, manager, kinds, config, vault, *limits)
    send(evm, vault, "setCollateralManager(address)", manager)
    houses = "initialize(address,address,address,address,address,address,address)"
    send(
        evm, house, houses,
        config, vault, at["QuoteToken"], at["UniswapV3Factory"], exchange, balances, fund,
    )  # fmt: skip
    send(evm, at["DelegateApproval"], "initialize()")
    send(evm, house, "setDelegateApproval(address)", at["DelegateApproval"])
    for callee in (registry, book, balances, exchange, vault):
        send(evm, callee, "setClearingHouse(address)", house)
    send(evm, at["QuoteToken"], "mintMaximumTo(address)", house)
    send(evm, at["QuoteToken"], "addWhitelist(address)", house)


def _create_market(evm: Evm, at: Mapping[str, Address], listing: _Listing, now: int) -> Perpetual:
    feed, chainlink = _deploy_feed(evm, listing.usd, now)
    dispatcher = evm.deploy(_read_oracle("PriceFeedDispatcher").creation_code(chainlink))
    base = _deploy(evm, "BaseToken")
    while address_bytes(base) > address_bytes(at["QuoteToken"]):
        base = _deploy(evm, "BaseToken")
    name = (f"virtual {listing.symbol[1:]}", listing.symbol)
    send(evm, base, "initialize(string,string,address)", *name, dispatcher)
    send(evm, base, "mintMaximumTo(address)", at["ClearingHouse"])
    create = _CREATE_POOL.encode(base, at["QuoteToken"], listing.pool_fee_pips)
    pool = create_through(evm, at["UniswapV3Factory"], create)
    send(evm, pool, "initialize(uint160)", isqrt(listing.usd * Q192))
    send(evm, pool, "increaseObservationCardinalityNext(uint16)", _OBSERVATIONS)
    for token, account in ((base, at["ClearingHouse"]), (base, pool), (at["QuoteToken"], pool)):
        send(evm, token, "addWhitelist(address)", account)
    return Perpetual(base, pool, feed, dispatcher)


def _open_market(evm: Evm, at: Mapping[str, Address], listing: _Listing, market: Perpetual, now: int) -> None:
    registry, base = at["MarketRegistry"], market.base_token
    send(evm, registry, "addPool(address,uint24)", base, listing.pool_fee_pips)
    send(evm, registry, "setFeeRatio(address,uint24)", base, listing.exchange_fee_pips)
    send(evm, registry, "setInsuranceFundFeeRatio(address,uint24)", base, 200_000)
    send(evm, at["Exchange"], "setMaxTickCrossedWithinBlock(address,uint24)", base, 1_000)
    set_price(evm, market.feed, listing.usd * WAD, now)
    dispatch_price(evm, market)


def _add_collateral(evm: Evm, at: Mapping[str, Address], token: Token, usd: int, now: int) -> Address:
    feed, chainlink = _deploy_feed(evm, usd, now)
    config = (chainlink, _COLLATERAL_RATIO, _DISCOUNT_RATIO, 10**12 * 10**token.decimals)
    kinds = "addCollateral(address,(address,uint24,uint24,uint256))"
    send(evm, at["CollateralManager"], kinds, token.address, config)
    return feed


def _deploy_feed(evm: Evm, usd: int, now: int) -> tuple[Address, Address]:
    """Return an aggregator that answers what it is told, and the protocol's feed of its means."""
    arguments = encode(["uint8", "int256"], [FEED_DECIMALS, usd * 10**FEED_DECIMALS])
    feed = evm.deploy(get_artifact("FeedStandIn").bytecode + arguments)
    set_price(evm, feed, usd * WAD, now)
    chainlink = evm.deploy(_read_oracle("ChainlinkPriceFeedV3").creation_code(feed, FEED_TIMEOUT_S, 900))
    send(evm, chainlink, "update()")
    return feed, chainlink


def _read_oracle(name: str) -> Contract:
    return read_contract("@perp/perp-oracle-contract", f"artifacts/contracts/{name}.sol/{name}.json")
