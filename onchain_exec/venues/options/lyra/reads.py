"""Reads of a Lyra market: two rounds for all its boards, one for an account's positions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NoReturn

from onchain_exec.core import Address, Answer, Call, Reading, Token
from onchain_exec.core.abi import Function
from onchain_exec.errors import InputError, PoolRevertError, StaleStateError, TokenRefusedError
from onchain_exec.venues.answer import decode_answer
from onchain_exec.venues.erc20 import BALANCE_OF, read_tokens
from onchain_exec.venues.options.lyra.errors import ALL_PAUSED, MARKET_PAUSED, RATE_INVALID
from onchain_exec.venues.options.lyra.parameters import (
    CollateralParameters,
    ForceCloseParameters,
    GreekParameters,
    LiquidationParameters,
    Parameters,
    PricingParameters,
    TradeLimits,
    VarianceFees,
)
from onchain_exec.venues.options.lyra.settlement import SettlementTerms
from onchain_exec.venues.options.lyra.state import (
    Board,
    Contracts,
    Liquidity,
    LyraState,
    OptionType,
    PositionState,
    StoredPosition,
    Strike,
)


def _uints(count: int) -> str:
    return f"({','.join(['uint256'] * count)})"


_LIVE_BOARDS: Final = Function("getLiveBoards()", "(uint256[])")
_MARKET_PARAMS: Final = Function("getOptionMarketParams()", "((uint256,address,uint256,uint256))")
_PRICING_PARAMS: Final = Function("getPricingParams()", f"({_uints(9)})")
_TRADE_LIMITS: Final = Function(
    "getTradeLimitParams()",
    "((int256,int256,uint256,uint256,uint256,uint256,uint256,uint256,uint256,uint256,uint256,bool))",
)
_VARIANCE_PARAMS: Final = Function("getVarianceFeeParams()", f"({_uints(9)})")
_GREEK_PARAMS: Final = Function("getGreekCacheParams()", f"(({_uints(9)[1:-1]},int256))")
_FORCE_CLOSE_PARAMS: Final = Function("getForceCloseParams()", f"({_uints(10)})")
_COLLATERAL_PARAMS: Final = Function("getMinCollatParams()", f"({_uints(8)})")
_GLOBAL_CACHE: Final = Function("getGlobalCache()", f"(({_uints(5)[1:-1]},(int256,int256,int256)))")
_LIQUIDATION_PARAMS: Final = Function("getPartialCollatParams()", f"({_uints(4)})")
_BASE_KEY: Final = Function("baseKey(address)", "(bytes32)")
_EXCHANGE_PARAMS: Final = Function(
    "getExchangeParams(address)", "((uint256,bytes32,bytes32,uint256,uint256))"
)
_LIQUIDITY: Final = Function("getCurrentLiquidity()", f"({_uints(6)})")
_LOCKED: Final = Function("lockedCollateral()", "(uint256,uint256)")
_POOL_PARAMS: Final = Function("getLpParams()", f"(({_uints(10)[1:-1]},address,{_uints(3)[1:-1]}))")
_BOARD: Final = Function(
    "getBoardAndStrikeDetails(uint256)",
    f"((uint256,uint256,uint256,bool,uint256[]),{_uints(9)}[],uint256[],uint256)",
)
_BOARD_GREEKS: Final = Function(
    "getBoardGreeksView(uint256)",
    "(((int256,int256,int256),uint256,(int256,int256,uint256,uint256,uint256)[],uint256[]))",
)
_IV_GWAV: Final = Function("getIvGWAV(uint256,uint256)", "(uint256)")
_OWNER_POSITIONS: Final = Function(
    "getOwnerPositions(address)", "((uint256,uint256,uint8,uint256,uint256,uint8)[])"
)
_SETTLEMENT: Final = Function("getSettlementParameters(uint256)", _uints(3))
_STRIKE_AND_EXPIRY: Final = Function("getStrikeAndExpiry(uint256)", _uints(2))
_OPEN_AMOUNTS: Final = (3, 6, 4, 5, 7)  # where the struct keeps each option type's
_DECIMALS: Final = 18


def read_market(contracts: Contracts) -> Reading[LyraState]:
    """Read a market and its live boards.

    Raises:
        PoolRevertError: the market is paused.
        StaleStateError: the oracle's price is not valid.
        TokenRefusedError: its tokens do not have the 18 decimals that its arithmetic takes for granted.
        InputError: an address is not the contract of its role.
    """
    quote, base = yield from read_tokens((contracts.quote, contracts.base))
    for token in (quote, base):
        _require_decimals(token)
    asked = _describe_reads(contracts)
    snapshot = yield tuple(Call(to, function.encode(*given)) for to, function, given in asked.values())
    answers = dict(zip(asked, snapshot.answers, strict=True))
    if not answers["exchange"].success:
        _refuse(contracts, answers["base_key"], answers["exchange"])
    found = {name: decode_answer(asked[name][1], asked[name][0], answer) for name, answer in answers.items()}
    parameters = _make_parameters(found)
    boards = yield from _read_boards(contracts, found["boards"][0], parameters.greeks.variance_iv_period_s)
    return LyraState(
        contracts,
        quote,
        base,
        snapshot.block.timestamp,
        found["exchange"][0][0],
        parameters,
        _make_liquidity(found),
        found["cache"][0][5][1],
        boards,
    )


def _describe_reads(at: Contracts) -> dict[str, tuple[Address, Function, tuple[Address, ...]]]:
    """Return what is asked of whom, by name."""
    return {
        "base_key": (at.adapter, _BASE_KEY, (at.market,)),
        "exchange": (at.adapter, _EXCHANGE_PARAMS, (at.market,)),
        "boards": (at.market, _LIVE_BOARDS, ()),
        "market": (at.market, _MARKET_PARAMS, ()),
        "pricing": (at.pricer, _PRICING_PARAMS, ()),
        "limits": (at.pricer, _TRADE_LIMITS, ()),
        "variance": (at.pricer, _VARIANCE_PARAMS, ()),
        "greeks": (at.greek_cache, _GREEK_PARAMS, ()),
        "force_close": (at.greek_cache, _FORCE_CLOSE_PARAMS, ()),
        "collateral": (at.greek_cache, _COLLATERAL_PARAMS, ()),
        "cache": (at.greek_cache, _GLOBAL_CACHE, ()),
        "liquidation": (at.option_token, _LIQUIDATION_PARAMS, ()),
        "liquidity": (at.pool, _LIQUIDITY, ()),
        "locked": (at.pool, _LOCKED, ()),
        "pool": (at.pool, _POOL_PARAMS, ()),
        "base_balance": (at.base, BALANCE_OF, (at.pool,)),
        "quote_balance": (at.quote, BALANCE_OF, (at.pool,)),
    }


def _make_parameters(found: Mapping[str, tuple[Any, ...]]) -> Parameters:
    (greeks,), (market,), (pool,) = found["greeks"], found["market"], found["pool"]
    return Parameters(
        PricingParameters(*found["pricing"][0]),
        TradeLimits(*found["limits"][0]),
        VarianceFees(*found["variance"][0]),
        GreekParameters(greeks[3], greeks[9]),
        ForceCloseParameters(*found["force_close"][0]),
        CollateralParameters(*found["collateral"][0]),
        LiquidationParameters(*found["liquidation"][0]),
        fee_reserved_wad=market[2],
        settlement_fee_wad=market[3],
        max_spot_fee_wad=pool[13],
    )


def _make_liquidity(found: Mapping[str, tuple[Any, ...]]) -> Liquidity:
    (liquidity,), (exchange,) = found["liquidity"], found["exchange"]
    return Liquidity(
        nav=liquidity[5],
        free=liquidity[0],
        quote_balance=found["quote_balance"][0],
        base_balance=found["base_balance"][0],
        base_locked=found["locked"][1],
        quote_base_fee_wad=exchange[3],
        base_quote_fee_wad=exchange[4],
    )


def _read_boards(at: Contracts, board_ids: tuple[int, ...], period_s: int) -> Reading[tuple[Board, ...]]:
    snapshot = yield tuple(
        call
        for board_id in board_ids
        for call in (
            Call(at.market, _BOARD.encode(board_id)),
            Call(at.greek_cache, _BOARD_GREEKS.encode(board_id)),
            Call(at.greek_cache, _IV_GWAV.encode(board_id, period_s)),
        )
    )
    answers = snapshot.answers
    return tuple(_decode_board(at, *answers[place : place + 3]) for place in range(0, len(answers), 3))


def _decode_board(at: Contracts, details: Answer, greeks: Answer, average: Answer) -> Board:
    (board_id, expiry_at, iv, is_frozen, _), strikes, _, _ = decode_answer(_BOARD, at.market, details)
    ((_, close_iv, strike_greeks, skews),) = decode_answer(_BOARD_GREEKS, at.greek_cache, greeks)
    (variance_iv,) = decode_answer(_IV_GWAV, at.greek_cache, average)
    return Board(
        board_id,
        expiry_at,
        iv,
        is_frozen,
        tuple(
            _make_strike(strike, cached[2], skew)
            for strike, cached, skew in zip(strikes, strike_greeks, skews, strict=True)
        ),
        variance_iv,
        close_iv,
    )


def _make_strike(strike: tuple[int, ...], std_vega: int, skew_gwav: int) -> Strike:
    amounts: Any = tuple(strike[place] for place in _OPEN_AMOUNTS)
    return Strike(strike[0], strike[1], strike[2], amounts, std_vega, skew_gwav)


def read_positions(contracts: Contracts, owner: Address) -> Reading[tuple[StoredPosition, ...]]:
    """Read the positions that an account owns, settled and liquidated ones not: their token is burnt."""
    snapshot = yield (Call(contracts.option_token, _OWNER_POSITIONS.encode(owner)),)
    (rows,) = decode_answer(_OWNER_POSITIONS, contracts.option_token, snapshot.answers[0])
    return tuple(
        StoredPosition(number, strike_id, OptionType(kind), amount, collateral, PositionState(state), owner)
        for number, strike_id, kind, amount, collateral, state in rows
    )


def read_settlement_terms(
    contracts: Contracts, strike_ids: Iterable[int]
) -> Reading[dict[int, SettlementTerms]]:
    """Read what strikes settle at, by their ids; a price of 0 says that the board is not settled."""
    ids, at = tuple(strike_ids), contracts.market
    snapshot = yield tuple(
        Call(at, function.encode(strike_id))
        for strike_id in ids
        for function in (_STRIKE_AND_EXPIRY, _SETTLEMENT)
    )
    expiries = [decode_answer(_STRIKE_AND_EXPIRY, at, answer)[1] for answer in snapshot.answers[::2]]
    settled = [decode_answer(_SETTLEMENT, at, answer) for answer in snapshot.answers[1::2]]
    return {
        strike_id: SettlementTerms(expiry_at, *terms)
        for strike_id, expiry_at, terms in zip(ids, expiries, settled, strict=True)
    }


def _require_decimals(token: Token) -> None:
    if token.decimals != _DECIMALS:
        raise TokenRefusedError(
            f"{token} has {token.decimals} decimals",
            needed=f"{_DECIMALS}, as Lyra's arithmetic takes for granted",
            todo="Check the market's addresses",
        )


def _refuse(at: Contracts, base_key: Answer, answer: Answer) -> NoReturn:
    """Raise what the adapter's revert says; it comes before what the other contracts only fail of."""
    for error in (MARKET_PAUSED, ALL_PAUSED):
        if answer.data[:4] == error.selector:
            raise PoolRevertError(
                error.name, found=f"market {at.market}: {error.name}", needed="a market that trades"
            )
    if answer.data[:4] == RATE_INVALID.selector and any(base_key.data):
        _, price, is_invalid = RATE_INVALID.decode(answer.data)
        raise StaleStateError(
            f"the oracle of market {at.market} answers {price} / 1e18{', marked invalid' * is_invalid}",
            needed="a valid price above 0",
            todo=RATE_INVALID.hint,
        )
    raise InputError(
        f"the adapter at {at.adapter} does not know market {at.market}",
        needed="the addresses of one Lyra deployment",
    )
