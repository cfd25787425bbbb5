"""How an account is read: the market, the reserves it uses, and their state, all at one block."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from onchain_exec.core import ZERO_ADDRESS, Address, BlockRef, Call, Reading, Token, to_address
from onchain_exec.core.abi import Function
from onchain_exec.errors import InputError, StateError
from onchain_exec.venues.answer import decode_answer
from onchain_exec.venues.asking import Ask, ask_each, ask_one_value_each
from onchain_exec.venues.erc20 import BALANCE_OF, read_tokens
from onchain_exec.venues.lending.aave_v3.account import GET_USER_ACCOUNT_DATA, AaveAccount
from onchain_exec.venues.lending.aave_v3.configuration import EMode, ReserveConfig
from onchain_exec.venues.lending.aave_v3.rates import RateStrategy
from onchain_exec.venues.lending.aave_v3.reserve import Reserve, StableDebt
from onchain_exec.venues.lending.aave_v3.state import Holding, Position

_PROVIDER: Final = Function("ADDRESSES_PROVIDER()", "(address)")
_ORACLE: Final = Function("getPriceOracle()", "(address)")
_SENTINEL: Final = Function("getPriceOracleSentinel()", "(address)")
_MAY_BORROW: Final = Function("isBorrowAllowed()", "(bool)")
_MAY_LIQUIDATE: Final = Function("isLiquidationAllowed()", "(bool)")
_BASE_UNIT: Final = Function("BASE_CURRENCY_UNIT()", "(uint256)")
_PRICE: Final = Function("getAssetPrice(address)", "(uint256)")
_USER_CONFIG: Final = Function("getUserConfiguration(address)", "(uint256)")
_USER_EMODE: Final = Function("getUserEMode(address)", "(uint256)")
_EMODE: Final = Function("getEModeCategoryData(uint8)", "((uint16,uint16,uint16,address,string))")
_ASSET_OF: Final = Function("getReserveAddressById(uint16)", "(address)")
_RESERVE: Final = Function(
    "getReserveData(address)",
    "(uint256,uint128,uint128,uint128,uint128,uint128,uint40,uint16,address,address,address,address,"
    "uint128,uint128,uint128)",
)
_SCALED_SUPPLY: Final = Function("scaledTotalSupply()", "(uint256)")
_SCALED_BALANCE: Final = Function("scaledBalanceOf(address)", "(uint256)")
_STABLE_SUPPLY: Final = Function("getSupplyData()", "(uint256,uint256,uint256,uint40)")
_STABLE_PRINCIPAL: Final = Function("principalBalanceOf(address)", "(uint256)")
_STABLE_RATE: Final = Function("getUserStableRate(address)", "(uint256)")
_STABLE_SINCE: Final = Function("getUserLastUpdated(address)", "(uint40)")
_STRATEGY: Final = tuple(
    Function(f"{name}()", "(uint256)")
    for name in (
        "OPTIMAL_USAGE_RATIO",
        "getBaseVariableBorrowRate",
        "getVariableRateSlope1",
        "getVariableRateSlope2",
    )
)


@dataclass(frozen=True, slots=True)
class _Market:
    """What the first rounds found: the account's flags and mode, whom to ask, and the reserves' storage."""

    pool: Address
    owner: Address
    flags: int
    emode: int
    oracle: Address
    sentinel: Address
    listings: Mapping[Address, tuple[Any, ...]]


def read_aave_account(pool: Address, owner: Address, assets: Iterable[Address] = ()) -> Reading[AaveAccount]:
    """Read an account with every reserve that it uses and those of ``assets``, which it might use.

    Before it is believed, the mirror's totals are compared with the pool's own of the same block.

    Raises:
        InputError: no Aave v3 pool stands there, or an asset is not listed.
        StateError: the pool counts otherwise: it is of another version (from 3.2 on, e-modes and
            stable debt work otherwise).
    """
    flags, emode, provider, told = yield from ask_each(
        [
            Ask(pool, _USER_CONFIG, (owner,)),
            Ask(pool, _USER_EMODE, (owner,)),
            Ask(pool, _PROVIDER),
            Ask(pool, GET_USER_ACCOUNT_DATA, (owner,)),
        ]
    )
    market = yield from _read_market(pool, owner, flags[0], emode[0], to_address(provider[0]), assets)
    account = yield from _read_account(market)
    data = account.data
    if told != (
        data.collateral,
        data.debt,
        data.available_borrows,
        data.liquidation_threshold_bps,
        data.ltv_bps,
        data.health_factor_wad,
    ):
        raise StateError(
            f"the pool at {pool} says {told} of {owner}, its mirror {data}",
            needed="a pool of version 3.0",
            todo="Do not rely on previews of this market",
        )
    return account


def _read_market(
    pool: Address, owner: Address, flags: int, emode: int, provider: Address, assets: Iterable[Address]
) -> Reading[_Market]:
    used = [index for index in range(flags.bit_length() // 2 + 1) if flags >> 2 * index & 3]
    oracle, sentinel, *found = yield from ask_one_value_each(
        [
            Ask(provider, _ORACLE),
            Ask(provider, _SENTINEL),
            *(Ask(pool, _ASSET_OF, (index,)) for index in used),
        ]
    )
    wanted = list(dict.fromkeys([*map(to_address, found), *assets]))
    listings = yield from ask_each([Ask(pool, _RESERVE, (asset,)) for asset in wanted])
    for asset, listing in zip(wanted, listings, strict=True):
        if to_address(listing[8]) == ZERO_ADDRESS:
            raise InputError(f"the market at {pool} does not list {asset}", needed="one of its reserves")
    contracts = to_address(oracle), to_address(sentinel)
    return _Market(pool, owner, flags, emode, *contracts, dict(zip(wanted, listings, strict=True)))


def _read_account(market: _Market) -> Reading[AaveAccount]:
    tokens = yield from read_tokens(market.listings)
    (base_unit,) = yield from ask_one_value_each([Ask(market.oracle, _BASE_UNIT)])
    emodes = yield from _read_emodes(market)
    guards = (_MAY_BORROW, _MAY_LIQUIDATE) if market.sentinel != ZERO_ADDRESS else ()
    allowed = yield from ask_one_value_each([Ask(market.sentinel, guard) for guard in guards])
    may_borrow, may_liquidate = allowed if guards else (True, True)
    holdings, block = yield from _read_holdings(market, tokens)
    return AaveAccount(
        pool=market.pool,
        owner=market.owner,
        block=block,
        at=block.timestamp,
        holdings=holdings,
        emode=market.emode,
        emodes=emodes,
        base_unit=base_unit,
        may_borrow=may_borrow,
        may_liquidate=may_liquidate,
    )


def _read_emodes(market: _Market) -> Reading[dict[int, EMode]]:
    """Read the account's e-mode and those of the reserves."""
    wanted = {market.emode, *(ReserveConfig.decode(listing[0]).emode for listing in market.listings.values())}
    ids = sorted(wanted - {0})
    found = yield from ask_one_value_each([Ask(market.pool, _EMODE, (mode,)) for mode in ids])
    sources = sorted({to_address(mode[3]) for mode in found} - {ZERO_ADDRESS})
    told = yield from ask_one_value_each([Ask(market.oracle, _PRICE, (source,)) for source in sources])
    prices = dict(zip(sources, told, strict=True))
    return {
        mode: EMode(mode, ltv, threshold, bonus, prices.get(to_address(source), 0))
        for mode, (ltv, threshold, bonus, source, _) in zip(ids, found, strict=True)
    }


def _read_holdings(
    market: _Market, tokens: Collection[Token]
) -> Reading[tuple[dict[Address, Holding], BlockRef]]:
    asks = [_list_asks(market, token) for token in tokens]
    snapshot = yield tuple(Call(ask.to, ask.function.encode(*ask.arguments)) for one in asks for ask in one)
    answers = iter(snapshot.answers)
    holdings = {}
    for token, one in zip(tokens, asks, strict=True):
        told = [decode_answer(ask.function, ask.to, next(answers)) for ask in one]
        holdings[token.address] = _make_holding(market, token, told)
    return holdings, snapshot.block


def _list_asks(market: _Market, token: Token) -> list[Ask]:
    """Return what `_make_holding` takes, in its order."""
    listing, owner = market.listings[token.address], (market.owner,)
    a_token, stable, variable, strategy = (to_address(value) for value in listing[8:12])
    return [
        Ask(market.oracle, _PRICE, (token.address,)),
        Ask(token.address, BALANCE_OF, (a_token,)),
        Ask(a_token, _SCALED_SUPPLY),
        Ask(a_token, _SCALED_BALANCE, owner),
        Ask(variable, _SCALED_SUPPLY),
        Ask(variable, _SCALED_BALANCE, owner),
        Ask(stable, _STABLE_SUPPLY),
        Ask(stable, _STABLE_PRINCIPAL, owner),
        Ask(stable, _STABLE_RATE, owner),
        Ask(stable, _STABLE_SINCE, owner),
        *(Ask(strategy, function) for function in _STRATEGY),
    ]


def _make_holding(market: _Market, token: Token, told: list[tuple[Any, ...]]) -> Holding:
    listing = market.listings[token.address]
    (price,), (liquidity,), (supplied,), (own_supplied,), (borrowed,), (own_borrowed,) = told[:6]
    principal, _, stable_rate, stable_since = told[6]
    reserve = Reserve(
        token=token,
        config=ReserveConfig.decode(listing[0]),
        strategy=RateStrategy(*(value for (value,) in told[10:])),
        price=price,
        a_token=to_address(listing[8]),
        debt_token=to_address(listing[10]),
        updated_at=listing[6],
        liquidity_index_ray=listing[1],
        liquidity_rate_ray=listing[2],
        borrow_index_ray=listing[3],
        borrow_rate_ray=listing[4],
        supplied_scaled=supplied,
        borrowed_scaled=borrowed,
        stable=StableDebt(principal, stable_rate, stable_since),
        liquidity=liquidity,
        treasury_scaled=listing[12],
        unbacked=listing[13],
        isolated_debt=listing[14],
    )
    flags = market.flags >> 2 * listing[7]
    own_stable = StableDebt(*(value for (value,) in told[7:10]))
    return Holding(
        reserve, Position(own_supplied, own_borrowed, own_stable, bool(flags & 2), bool(flags & 1))
    )
