"""The mirror of Perpetual Protocol v2 foresees what its real bytecode does, to the unit."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from curie import FOREVER, GAMBLER, MAKER, PEOPLE, PRICES, TRADER, Curie, start_curie
from curie_deeds import Deed, draw_deed, draw_liquidation, draw_ranges

from onchain_exec.core import Exact
from onchain_exec.core.abi import Function
from onchain_exec.core.fixed_point import WAD
from onchain_exec.errors import PoolRevertError, RevertError
from onchain_exec.venues.perpetuals.perp_v2 import actions
from onchain_exec.venues.perpetuals.perp_v2.actions import Sender
from onchain_exec.venues.perpetuals.perp_v2.mirror import margin
from onchain_exec.venues.perpetuals.perp_v2.mirror.liquidation import get_liquidation_price_wad
from onchain_exec.venues.perpetuals.perp_v2.mirror.state import State
from onchain_exec.venues.perpetuals.perp_v2.mirror.swap import Swap

FREE = Function("getFreeCollateral(address)", "(uint256)")
FREE_BY_TOKEN = Function("getFreeCollateralByToken(address,address)", "(uint256)")
MARK = Function("getMarkPrice(address)", "(uint256)")
REQUIRED = Function("getMarginRequirementForLiquidation(address)", "(int256)")
PENDING = Function("getPendingFundingPayment(address,address)", "(int256)")
COLLATERAL_LIQUIDATABLE = Function("isLiquidatable(address)", "(bool)")

AGAINST = {"vETH": (1_800_000, 3_300_000), "vBTC": (3_300_000, 4_800_000)}
"""Dollars that move the price by some percent, to 10 % about."""


def ask(curie: Curie, contract: str, function: Function, *arguments: object) -> int:
    answer = curie.evm.static_call(curie.at.contracts[contract], function.encode(*arguments))
    return int(function.decode(answer)[0])


def require_same(foreseen: State, found: State) -> None:
    """Every account, market and collateral, field by field."""
    assert foreseen.accounts == found.accounts
    for base, market in foreseen.markets.items():
        other = found.markets[base]
        for name in ("curve", "growth", "fee_growth_x128", "last_tick", "last_tick_at", "last_settled_at"):
            assert getattr(market, name) == getattr(other, name), name
        assert market.first_traded_at == other.first_traded_at
        for tick in market.outside.keys() & other.outside.keys():
            assert market.outside[tick] == other.outside[tick]
        rules, later = found.rules, found.at + 7
        assert market.get_mark_price_wad(rules, later) == other.get_mark_price_wad(rules, later)
    assert foreseen.collateral == found.collateral
    assert foreseen.settlement_in_vault == found.settlement_in_vault


def require_views(curie: Curie, state: State) -> None:
    """What the contracts say of accounts and markets at this moment."""
    for owner in PEOPLE:
        account = state.get_account(owner)
        value = margin.get_account_value(state, account)
        assert curie.ask_value(owner) == state.to_units(value)
        free = max(0, margin.get_free_collateral(state, account, state.rules.initial_margin_pips))
        assert ask(curie, "Vault", FREE, owner) == state.to_units(free)
        required = margin.get_maintenance_margin(state, account)
        assert ask(curie, "AccountBalance", REQUIRED, owner) == required
        for token in (state.settlement.address, *state.collateral):
            found = ask(curie, "Vault", FREE_BY_TOKEN, owner, token)
            assert found == margin.get_free_token(state, account, token)
        for base in account.positions:
            owed = margin.get_funding_owed(state, account, base)
            assert ask(curie, "Exchange", PENDING, owner, base) == owed
    for base, market in state.markets.items():
        mark = market.get_mark_price_wad(state.rules, state.at)
        assert ask(curie, "AccountBalance", MARK, base) == mark
        for owner in (TRADER, GAMBLER):
            price = get_liquidation_price_wad(state, owner, base)
            if price is not None:
                size = margin.get_total_size(state, state.get_account(owner), base)
                beyond = mark < price if size > 0 else mark > price
                assert margin.is_liquidatable(state, state.get_account(owner)) == beyond


def foresee(state: State, deed: Deed) -> State | str:
    """The state after a deed, or why the contract refuses it."""
    try:
        return deed.foresee(state)
    except PoolRevertError as error:
        return error.reason


def act(curie: Curie, deed: Deed) -> str | None:
    """Do a deed; return the contract's reason if it refuses."""
    try:
        curie.act(deed.call)
    except RevertError as error:
        return str(error.arguments[0]) if error.arguments else ""
    return None


def do(curie: Curie, state: State, deed: Deed) -> str:
    """Foresee a deed, do it, compare; return how it ended."""
    foreseen, refused = foresee(state, deed), act(curie, deed)
    if isinstance(foreseen, str):
        assert refused is not None, f"{deed.name} was to revert with {foreseen}"
        assert foreseen in ("", refused), deed.name
        return refused
    assert refused is None, f"{deed.name} reverts with {refused}"
    found = curie.read(ticks={base: market.outside for base, market in foreseen.markets.items()})
    require_same(foreseen, found)
    return deed.name.split()[0]


def step(rng: Random, curie: Curie, prices: dict[str, int]) -> str:
    """Let time pass, prices move, and somebody do something."""
    waited = rng.choice([1, 5, 12, 60, 400, 1_500])
    curie.wait(waited)
    for symbol, price in prices.items():
        drift = rng.choice([0, 0, rng.uniform(-0.02, 0.02), rng.uniform(-0.09, 0.09)])
        usual = PRICES[symbol] * WAD
        prices[symbol] = min(usual * 4 // 3, max(usual * 3 // 4, int(price * (1 + drift))))
    if waited > 60 or rng.random() < 0.8:
        curie.refresh(prices)
    ranges = draw_ranges(rng, curie, curie.read())
    state = curie.read(ticks=ranges)
    require_views(curie, state)
    deed = draw_deed(rng, curie, state, ranges)
    later = rng.choice([0, 0, 3, 40])
    curie.wait(later)
    return do(curie, state.seen_at(curie.evm.timestamp), deed)


def run(rng: Random, steps: int) -> Counter[str]:
    curie = start_curie()
    state = curie.read()
    for owner in (TRADER, GAMBLER):
        usdc = curie.at.settlement.address
        curie.act(actions.encode_deposit(state.contracts, owner, usdc, 30_000 * 10**6))
    prices = {symbol: price * WAD for symbol, price in PRICES.items()}
    return Counter(step(rng, curie, prices) for _ in range(steps))


def lose(rng: Random, curie: Curie) -> str:
    """A gambler bets all on one market, which goes the other way; somebody tries to liquidate."""
    symbol = rng.choice(list(PRICES))
    base, usdc = curie.base(symbol), curie.at.settlement.address
    mark = curie.evm.snapshot()
    curie.refresh({symbol: PRICES[symbol] * WAD})
    contracts, wagered = curie.read().contracts, rng.randint(1_000, 15_000)
    curie.act(actions.encode_deposit(contracts, GAMBLER, usdc, wagered * 10**6))
    sells = rng.random() < 0.5
    worth = wagered * WAD * rng.randint(80, 95) // 10
    curie.act(actions.encode_open(contracts, Sender(GAMBLER, FOREVER), base, _bet(worth, sells), 0))
    against = rng.randint(*AGAINST[symbol]) * WAD
    act(curie, Deed("move", no_change, actions.encode_open(
        contracts, Sender(MAKER, FOREVER), base, _bet(against, not sells), 0
    )))  # fmt: skip
    curie.wait(rng.choice([1_200, 1_800, 2_300]))
    curie.refresh({symbol: int(PRICES[symbol] * WAD * rng.uniform(0.98, 1.02))})
    state = curie.read()
    require_views(curie, state)
    curie.wait(rng.choice([0, 9]))
    deed = draw_liquidation(rng, state, GAMBLER, base)
    ended = do(curie, state.seen_at(curie.evm.timestamp), deed)
    curie.evm.revert(mark)
    return ended


def _bet(worth: int, sells: bool) -> Swap:
    """A trade for so much quote."""
    return Swap(sells, Exact.OUT if sells else Exact.IN, worth)


def no_change(state: State) -> State:
    return state


def test_perp_v2_random_deeds_equals_bytecode(rng: Random) -> None:
    assert run(rng, 8)["open"]


def test_perp_v2_liquidations_of_losers_equal_bytecode(rng: Random) -> None:
    curie = start_curie()
    assert Counter(lose(rng, curie) for _ in range(5))["liquidate"]


@pytest.mark.deep
@pytest.mark.timeout(3_600)
def test_perp_v2_thousand_random_deeds_equals_bytecode(rng: Random) -> None:
    seen = sum((run(rng, 100) for _ in range(10)), Counter())
    assert {"open", "close", "deposit", "withdraw", "add", "remove", "sell"} <= seen.keys()


@pytest.mark.deep
@pytest.mark.timeout(3_600)
def test_perp_v2_thousand_random_liquidations_equals_bytecode(rng: Random) -> None:
    curie = start_curie()
    seen = Counter(lose(rng, curie) for _ in range(1_000))
    assert {"liquidate", "CH_EAV", "CH_WLD"} <= seen.keys()
