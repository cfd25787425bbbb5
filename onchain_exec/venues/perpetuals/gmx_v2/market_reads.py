"""Reads of one market out of the DataStore: its settings, pools, open interest, funding and borrowing."""

from __future__ import annotations

from collections.abc import Mapping

from onchain_exec.core import ZERO_ADDRESS, Address, Reading
from onchain_exec.errors import InputError
from onchain_exec.venues.perpetuals.gmx_v2.keys import (
    find_field,
    find_key,
    hash_name,
    read_addresses,
    read_bools,
    read_ints,
    read_uints,
)
from onchain_exec.venues.perpetuals.gmx_v2.mirror.market import BySide, Cell, Market, Rules
from onchain_exec.venues.perpetuals.gmx_v2.mirror.pricing import BorrowingRules, FundingRules, ImpactRules

_SIDES = (True, False)


def read_market(store: Address, market: Address) -> Reading[Market]:
    """Read a market by its market token.

    Raises:
        InputError: there is none, or another contract stands at ``store``.
    """
    names = ("MARKET_TOKEN", "INDEX_TOKEN", "LONG_TOKEN", "SHORT_TOKEN")
    found, index, *tokens = yield from read_addresses(store, [find_field(market, name) for name in names])
    if found == ZERO_ADDRESS:
        raise InputError(f"no market {market} at {store}", needed="the address of a market token")
    (is_disabled,) = yield from read_bools(store, [find_key("IS_MARKET_DISABLED", market)])
    long, short = tokens
    pool = yield from read_uints(store, [find_key("POOL_AMOUNT", market, token) for token in tokens])
    (saved_funding,) = yield from read_ints(store, [find_key("SAVED_FUNDING_FACTOR_PER_SECOND", market)])
    (pending_impact,) = yield from read_ints(store, [find_key("TOTAL_PENDING_IMPACT_AMOUNT", market)])
    once = yield from _read_once(
        store,
        market,
        "FUNDING_UPDATED_AT",
        "POSITION_IMPACT_POOL_AMOUNT",
        "LENT_POSITION_IMPACT_POOL_AMOUNT",
        "POSITION_IMPACT_POOL_DISTRIBUTED_AT",
    )
    funded_at, impact_pool, lent_impact, distributed_at = once
    return Market(
        address=market,
        index_token=index,
        long_token=long,
        short_token=short,
        is_enabled=not is_disabled and index != ZERO_ADDRESS,
        rules=(yield from _read_rules(store, market)),
        pool=dict(zip(tokens, pool, strict=True)),
        interest=(yield from _read_cells(store, market, tokens, "OPEN_INTEREST")),
        interest_in_tokens=(yield from _read_cells(store, market, tokens, "OPEN_INTEREST_IN_TOKENS")),
        collateral=(yield from _read_cells(store, market, tokens, "COLLATERAL_SUM")),
        max_collateral=(yield from _read_cells(store, market, tokens, "MAX_COLLATERAL_SUM")),
        fee_per_size=(yield from _read_cells(store, market, tokens, "FUNDING_FEE_AMOUNT_PER_SIZE")),
        claimable_per_size=(
            yield from _read_cells(store, market, tokens, "CLAIMABLE_FUNDING_AMOUNT_PER_SIZE")
        ),
        saved_funding=saved_funding,
        funded_at=funded_at,
        borrowing=(yield from _read_sides(store, market, "CUMULATIVE_BORROWING_FACTOR")),
        borrowed_at=(yield from _read_sides(store, market, "CUMULATIVE_BORROWING_FACTOR_UPDATED_AT")),
        total_borrowing=(yield from _read_sides(store, market, "TOTAL_BORROWING")),
        impact_pool=impact_pool,
        lent_impact=lent_impact,
        pending_impact=pending_impact,
        impact_distributed_at=distributed_at,
    )


def _read_rules(store: Address, market: Address) -> Reading[Rules]:
    positive, negative = yield from _read_sides(store, market, "POSITION_IMPACT_FACTOR")
    exponents = yield from _read_sides(store, market, "POSITION_IMPACT_EXPONENT_FACTOR")
    max_positive, max_negative = yield from _read_sides(store, market, "MAX_POSITION_IMPACT_FACTOR")
    better, worse = yield from _read_sides(store, market, "POSITION_FEE_FACTOR")
    funding = yield from _read_once(
        store,
        market,
        "FUNDING_FACTOR",
        "FUNDING_EXPONENT_FACTOR",
        "FUNDING_INCREASE_FACTOR_PER_SECOND",
        "FUNDING_DECREASE_FACTOR_PER_SECOND",
        "THRESHOLD_FOR_STABLE_FUNDING",
        "THRESHOLD_FOR_DECREASE_FUNDING",
        "MIN_FUNDING_FACTOR_PER_SECOND",
        "MAX_FUNDING_FACTOR_PER_SECOND",
    )
    once = yield from _read_once(
        store,
        market,
        "MAX_POSITION_IMPACT_FACTOR_FOR_LIQUIDATIONS",
        "MAX_LENDABLE_IMPACT_FACTOR",
        "MAX_LENDABLE_IMPACT_USD",
        "POSITION_IMPACT_POOL_DISTRIBUTION_RATE",
        "MIN_POSITION_IMPACT_POOL_AMOUNT",
        "MIN_COLLATERAL_FACTOR",
        "MIN_COLLATERAL_FACTOR_FOR_LIQUIDATION",
        "LIQUIDATION_FEE_FACTOR",
    )
    pnl_keys = [
        find_key("MAX_PNL_FACTOR", hash_name("MAX_PNL_FACTOR_FOR_TRADERS"), market, side) for side in _SIDES
    ]
    max_pnl = yield from read_uints(store, pnl_keys)
    return Rules(
        impact=ImpactRules(positive, negative, *exponents),
        max_positive_impact=max_positive,
        max_negative_impact=max_negative,
        max_impact_for_liquidations=once[0],
        max_lendable_factor=once[1],
        max_lendable_usd=once[2],
        impact_distribution_rate=once[3],
        min_impact_pool=once[4],
        funding=FundingRules(*funding),
        borrowing=(yield from _read_borrowing(store, market)),
        reserve=(yield from _read_sides(store, market, "RESERVE_FACTOR")),
        open_interest_reserve=(yield from _read_sides(store, market, "OPEN_INTEREST_RESERVE_FACTOR")),
        max_open_interest=(yield from _read_sides(store, market, "MAX_OPEN_INTEREST")),
        max_pnl_for_traders=BySide(*max_pnl),
        min_collateral_per_interest=(
            yield from _read_sides(store, market, "MIN_COLLATERAL_FACTOR_FOR_OPEN_INTEREST_MULTIPLIER")
        ),
        min_collateral=once[5],
        min_collateral_for_liquidation=once[6],
        fee_if_worse=worse,
        fee_if_better=better,
        liquidation_fee=once[7],
    )


def _read_borrowing(store: Address, market: Address) -> Reading[BySide[BorrowingRules]]:
    names = (
        "BORROWING_FACTOR", "BORROWING_EXPONENT_FACTOR", "OPTIMAL_USAGE_FACTOR", "BASE_BORROWING_FACTOR",
        "ABOVE_OPTIMAL_USAGE_BORROWING_FACTOR",
    )  # fmt: skip
    keys = [find_key(name, market, side) for side in _SIDES for name in names]
    found = yield from read_uints(store, keys)
    return BySide(BorrowingRules(*found[: len(names)]), BorrowingRules(*found[len(names) :]))


def _read_once(store: Address, market: Address, *names: str) -> Reading[list[int]]:
    return (yield from read_uints(store, [find_key(name, market) for name in names]))


def _read_sides(store: Address, market: Address, name: str) -> Reading[BySide[int]]:
    """Read what longs and shorts, or a better and a worse balance, have apart."""
    return BySide(*(yield from read_uints(store, [find_key(name, market, side) for side in _SIDES])))


def _read_cells(
    store: Address, market: Address, tokens: list[Address], name: str
) -> Reading[Mapping[Cell, int]]:
    cells = [Cell(token, side) for token in dict.fromkeys(tokens) for side in _SIDES]
    found = yield from read_uints(store, [find_key(name, market, *cell) for cell in cells])
    return dict(zip(cells, found, strict=True))
