"""Reads of one market out of the DataStore: its settings, pools, open interest, funding and borrowing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from onchain_exec.core import ZERO_ADDRESS, Address, Reading, all_of
from onchain_exec.errors import InputError
from onchain_exec.venues.perpetuals.gmx_v2.keys import (
    find_field,
    find_key,
    hash_name,
    read_addresses,
    read_bools,
    read_ints,
    read_uints,
    read_words,
)
from onchain_exec.venues.perpetuals.gmx_v2.mirror.market import BySide, Cell, Market, Rules, SwapRules
from onchain_exec.venues.perpetuals.gmx_v2.mirror.pricing import BorrowingRules, FundingRules, ImpactRules

_SIDES = (True, False)
_SIGNED: Final = ("SAVED_FUNDING_FACTOR_PER_SECOND", "TOTAL_PENDING_IMPACT_AMOUNT")
_CELLS: Final = (
    "OPEN_INTEREST",
    "OPEN_INTEREST_IN_TOKENS",
    "COLLATERAL_SUM",
    "MAX_COLLATERAL_SUM",
    "FUNDING_FEE_AMOUNT_PER_SIZE",
    "CLAIMABLE_FUNDING_AMOUNT_PER_SIZE",
)
_BORROWING: Final = (
    "CUMULATIVE_BORROWING_FACTOR",
    "CUMULATIVE_BORROWING_FACTOR_UPDATED_AT",
    "TOTAL_BORROWING",
)
_ONCE: Final = (
    "FUNDING_UPDATED_AT",
    "POSITION_IMPACT_POOL_AMOUNT",
    "LENT_POSITION_IMPACT_POOL_AMOUNT",
    "POSITION_IMPACT_POOL_DISTRIBUTED_AT",
)
_RULES_BY_SIDE: Final = (
    "POSITION_IMPACT_FACTOR",
    "POSITION_IMPACT_EXPONENT_FACTOR",
    "MAX_POSITION_IMPACT_FACTOR",
    "POSITION_FEE_FACTOR",
    "RESERVE_FACTOR",
    "OPEN_INTEREST_RESERVE_FACTOR",
    "MAX_OPEN_INTEREST",
    "MIN_COLLATERAL_FACTOR_FOR_OPEN_INTEREST_MULTIPLIER",
)
_FUNDING_RULES: Final = (
    "FUNDING_FACTOR",
    "FUNDING_EXPONENT_FACTOR",
    "FUNDING_INCREASE_FACTOR_PER_SECOND",
    "FUNDING_DECREASE_FACTOR_PER_SECOND",
    "THRESHOLD_FOR_STABLE_FUNDING",
    "THRESHOLD_FOR_DECREASE_FUNDING",
    "MIN_FUNDING_FACTOR_PER_SECOND",
    "MAX_FUNDING_FACTOR_PER_SECOND",
)
_RULES: Final = (
    "MAX_POSITION_IMPACT_FACTOR_FOR_LIQUIDATIONS",
    "MAX_LENDABLE_IMPACT_FACTOR",
    "MAX_LENDABLE_IMPACT_USD",
    "POSITION_IMPACT_POOL_DISTRIBUTION_RATE",
    "MIN_POSITION_IMPACT_POOL_AMOUNT",
    "MIN_COLLATERAL_FACTOR",
    "MIN_COLLATERAL_FACTOR_FOR_LIQUIDATION",
    "LIQUIDATION_FEE_FACTOR",
)
_BORROWING_RULES: Final = (
    "BORROWING_FACTOR",
    "BORROWING_EXPONENT_FACTOR",
    "OPTIMAL_USAGE_FACTOR",
    "BASE_BORROWING_FACTOR",
    "ABOVE_OPTIMAL_USAGE_BORROWING_FACTOR",
)


def read_market(store: Address, market: Address) -> Reading[Market]:
    """Read a market by its market token.

    Raises:
        InputError: there is none, or another contract stands at ``store``.
    """
    names = ("MARKET_TOKEN", "INDEX_TOKEN", "LONG_TOKEN", "SHORT_TOKEN")
    found, index, *tokens = yield from read_addresses(store, [find_field(market, name) for name in names])
    if found == ZERO_ADDRESS:
        raise InputError(f"no market {market} at {store}", needed="the address of a market token")
    flags, rules, pool, signed, cells, sides, once, swap_impact_pool, shared = yield from all_of(
        [
            read_bools(store, [find_key("IS_MARKET_DISABLED", market)]),
            _read_rules(store, market, tokens),
            _read_by_token(store, market, tokens, "POOL_AMOUNT"),
            read_ints(store, [find_key(name, market) for name in _SIGNED]),
            all_of([_read_cells(store, market, tokens, name) for name in _CELLS]),
            all_of([_read_sides(store, market, name) for name in _BORROWING]),
            _read_once(store, market, _ONCE),
            _read_by_token(store, market, tokens, "SWAP_IMPACT_POOL_AMOUNT"),
            _read_shared_pool(store, market),
        ]
    )
    shared_pool_id, shared_pool = shared
    interest, interest_in_tokens, collateral, max_collateral, fee_per_size, claimable_per_size = cells
    borrowing, borrowed_at, total_borrowing = sides
    saved_funding, pending_impact = signed
    funded_at, impact_pool, lent_impact, distributed_at = once
    return Market(
        address=market,
        index_token=index,
        long_token=tokens[0],
        short_token=tokens[1],
        is_enabled=not any(flags) and index != ZERO_ADDRESS,
        rules=rules,
        pool=pool,
        interest=interest,
        interest_in_tokens=interest_in_tokens,
        collateral=collateral,
        max_collateral=max_collateral,
        fee_per_size=fee_per_size,
        claimable_per_size=claimable_per_size,
        saved_funding=saved_funding,
        funded_at=funded_at,
        borrowing=borrowing,
        borrowed_at=borrowed_at,
        total_borrowing=total_borrowing,
        impact_pool=impact_pool,
        lent_impact=lent_impact,
        pending_impact=pending_impact,
        impact_distributed_at=distributed_at,
        swap_impact_pool=swap_impact_pool,
        shared_pool_id=shared_pool_id,
        shared_pool=shared_pool,
    )


def _read_rules(store: Address, market: Address, tokens: Sequence[Address]) -> Reading[Rules]:
    sides, funding, once, borrowing, max_pnl, swap = yield from all_of(
        [
            all_of([_read_sides(store, market, name) for name in _RULES_BY_SIDE]),
            _read_once(store, market, _FUNDING_RULES),
            _read_once(store, market, _RULES),
            _read_borrowing(store, market),
            _read_max_pnl(store, market, "MAX_PNL_FACTOR_FOR_TRADERS"),
            _read_swap_rules(store, market, tokens),
        ]
    )
    factors, exponents, (max_positive, max_negative), (better, worse), *by_side = sides
    reserve, open_interest_reserve, max_open_interest, min_collateral_per_interest = by_side
    liquidations, lendable_factor, lendable_usd, distribution, least_pool, *collateral, penalty = once
    return Rules(
        swap=swap,
        impact=ImpactRules(*factors, *exponents),
        max_positive_impact=max_positive,
        max_negative_impact=max_negative,
        max_impact_for_liquidations=liquidations,
        max_lendable_factor=lendable_factor,
        max_lendable_usd=lendable_usd,
        impact_distribution_rate=distribution,
        min_impact_pool=least_pool,
        funding=FundingRules(*funding),
        borrowing=borrowing,
        reserve=reserve,
        open_interest_reserve=open_interest_reserve,
        max_open_interest=max_open_interest,
        max_pnl_for_traders=max_pnl,
        min_collateral_per_interest=min_collateral_per_interest,
        min_collateral=collateral[0],
        min_collateral_for_liquidation=collateral[1],
        fee_if_worse=worse,
        fee_if_better=better,
        liquidation_fee=penalty,
    )


def _read_swap_rules(store: Address, market: Address, tokens: Sequence[Address]) -> Reading[SwapRules]:
    factors, (exponent,), (better, worse), max_pool, deposits, withdrawals = yield from all_of(
        [
            _read_sides(store, market, "SWAP_IMPACT_FACTOR"),
            _read_once(store, market, ("SWAP_IMPACT_EXPONENT_FACTOR",)),
            _read_sides(store, market, "SWAP_FEE_FACTOR"),
            _read_by_token(store, market, tokens, "MAX_POOL_AMOUNT"),
            _read_max_pnl(store, market, "MAX_PNL_FACTOR_FOR_DEPOSITS"),
            _read_max_pnl(store, market, "MAX_PNL_FACTOR_FOR_WITHDRAWALS"),
        ]
    )
    positive, negative = factors
    impact = ImpactRules(positive, negative, exponent, exponent)
    return SwapRules(impact, worse, better, max_pool, deposits, withdrawals)


def _read_max_pnl(store: Address, market: Address, kind: str) -> Reading[BySide[int]]:
    keys = [find_key("MAX_PNL_FACTOR", hash_name(kind), market, side) for side in _SIDES]
    return BySide(*(yield from read_uints(store, keys)))


def _read_shared_pool(store: Address, market: Address) -> Reading[tuple[bytes, BySide[int] | None]]:
    """Read the pool that markets of the same two tokens count together; the id is the market's own where it
    shares none."""
    (shared,) = yield from read_words(store, [find_key("VIRTUAL_MARKET_ID", market)])
    if not any(shared):
        return bytes.fromhex(market[2:]), None
    keys = [find_key("VIRTUAL_INVENTORY_FOR_SWAPS", shared, side) for side in _SIDES]
    return shared, BySide(*(yield from read_uints(store, keys)))


def _read_by_token(
    store: Address, market: Address, tokens: Sequence[Address], name: str
) -> Reading[dict[Address, int]]:
    found = yield from read_uints(store, [find_key(name, market, token) for token in tokens])
    return dict(zip(tokens, found, strict=True))


def _read_borrowing(store: Address, market: Address) -> Reading[BySide[BorrowingRules]]:
    keys = [find_key(name, market, side) for side in _SIDES for name in _BORROWING_RULES]
    found, half = (yield from read_uints(store, keys)), len(_BORROWING_RULES)
    return BySide(BorrowingRules(*found[:half]), BorrowingRules(*found[half:]))


def _read_once(store: Address, market: Address, names: Sequence[str]) -> Reading[list[int]]:
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
