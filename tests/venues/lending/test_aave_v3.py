"""The mirror of Aave v3 against its real bytecode: whatever an account does, the same state or the same
refusal."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from aave_world import KEEPER, TRADER, AaveWorld
from evm_reading import perform

from onchain_exec.app.sandbox.derivatives.aave_v3 import BASE_UNIT
from onchain_exec.core import Answer, Reading
from onchain_exec.core.abi import Function
from onchain_exec.core.fixed_point import WAD
from onchain_exec.errors import InputError, PoolRevertError, StateError
from onchain_exec.venues.lending.aave_v3 import AaveAccount, liquidate, read_aave_account
from onchain_exec.venues.lending.actions import (
    ALL,
    Borrow,
    LendingAction,
    Repay,
    SetCollateral,
    SetEMode,
    Supply,
    Withdraw,
)

LIQUIDATION_CALL = Function("liquidationCall(address,address,address,uint256,bool)")
YEAR_S = 365 * 86_400


def test_after_random_actions_equals_chain(rng: Random) -> None:
    _try_actions(AaveWorld.start(), rng, 20)


def test_liquidate_random_accounts_equals_chain(rng: Random) -> None:
    _try_liquidations(AaveWorld.start(), rng, 5)


@pytest.mark.deep
@pytest.mark.timeout(3_600)
def test_after_a_thousand_random_actions_equals_chain(rng: Random) -> None:
    for _ in range(10):
        _try_actions(AaveWorld.start(), rng, 100)


@pytest.mark.deep
@pytest.mark.timeout(3_600)
def test_liquidate_a_thousand_random_accounts_equals_chain(rng: Random) -> None:
    for _ in range(10):
        _try_liquidations(AaveWorld.start(), rng, 100)


def test_liquidation_prices_are_where_the_chain_changes_its_mind(rng: Random) -> None:
    world = AaveWorld.start()
    for _ in range(3):
        mark, prices = world.evm.snapshot(), dict(world.prices)
        _make_debtor(world, rng)
        health = world.read().health
        assert health.liquidation_prices
        for found in health.liquidation_prices:
            towards = 1 if found.liquidation_price < found.price else -1
            world.set_price(found.asset, found.liquidation_price)
            assert world.get_health_factor() < WAD
            world.set_price(found.asset, found.liquidation_price + towards)
            assert world.get_health_factor() >= WAD
            world.set_price(found.asset, found.price)
        world.evm.revert(mark)
        world.prices = prices


def test_read_aave_account_without_what_the_market_lists_raises_input_error() -> None:
    world = AaveWorld.start()
    pool = world.market.pool
    with pytest.raises(InputError, match="does not list"):
        perform(world.evm, read_aave_account(pool, TRADER, [KEEPER]))
    with pytest.raises(InputError, match="not read"):
        perform(world.evm, read_aave_account(pool, TRADER)).after(SetEMode(1))
    with pytest.raises(InputError, match="read without"):
        perform(world.evm, read_aave_account(pool, TRADER)).after(Supply(world.tokens["WETH"], 1))
    with pytest.raises(InputError, match="function at the address"):
        perform(world.evm, read_aave_account(world.tokens["WETH"].address, TRADER))


def test_read_aave_account_when_the_pool_counts_otherwise_raises_state_error() -> None:
    world = AaveWorld.start()

    def with_another_total(reading: Reading[AaveAccount]) -> Reading[AaveAccount]:
        snapshot = yield next(reading)
        *others, told = snapshot.answers
        spoilt = replace(snapshot, answers=(*others, Answer(True, (1).to_bytes(32) + told.data[32:])))
        calls = reading.send(spoilt)
        while True:
            calls = reading.send((yield calls))

    with pytest.raises(StateError, match="its mirror"):
        perform(world.evm, with_another_total(read_aave_account(world.market.pool, TRADER)))


def test_at_time_before_the_account_raises_input_error() -> None:
    account = AaveWorld.start().read()
    with pytest.raises(InputError, match="a later one"):
        account.at_time(account.at - 1)


def _try_actions(world: AaveWorld, rng: Random, count: int) -> None:
    """Compare state by state: the account that the mirror predicts for the block's time is read back."""
    performed = 0
    world.send(TRADER, world.read().encode(Supply(world.tokens["WETH"], 10**20)).data)
    while performed < count:
        if rng.random() < 0.3:
            world.move_prices(rng)
        before = world.read()
        action = _draw_action(before, world, rng)
        world.evm.timestamp += rng.choice((1, 12, 3_600, rng.randrange(1, YEAR_S // 4)))
        then = before.at_time(world.evm.timestamp)
        try:
            expected, reason = then.after(action), None
        except PoolRevertError as error:
            expected, reason = then, error.reason
        assert world.send(TRADER, then.encode(action).data) == reason, action
        _require_same(world.read(), expected)
        performed += reason is None or rng.random() < 0.25


def _try_liquidations(world: AaveWorld, rng: Random, count: int) -> None:
    for _ in range(count):
        mark = world.evm.snapshot()
        prices = dict(world.prices)
        _make_debtor(world, rng)
        world.evm.timestamp += rng.randrange(1, YEAR_S)
        _let_prices_fall(world, rng)
        account = world.read()
        used = account.holdings.values()
        collateral = rng.choice([held for held in used if held.position.is_collateral] or list(used))
        debt = rng.choice([held for held in used if held.position.is_borrowing] or list(used))
        cover = rng.choice((ALL, rng.randrange(1, 2 * debt.get_debt(account.at) + 2)))
        pair = collateral.reserve.token.address, debt.reserve.token.address
        try:
            found, reason = liquidate(account, *pair, cover), None
        except PoolRevertError as error:
            found, reason = None, error.reason
        call = LIQUIDATION_CALL.encode(*pair, TRADER, cover, False)
        assert world.send(KEEPER, call) == reason
        if found is not None:
            _require_same(world.read(), found.account)
        world.evm.revert(mark)
        world.prices = prices


def _make_debtor(world: AaveWorld, rng: Random) -> None:
    account = world.read()  # what is encoded from it does not depend on what it holds
    for symbol in rng.sample(("WETH", "WBTC", "USDC", "DAI", "ISO"), rng.randrange(1, 4)):
        token = world.tokens[symbol]
        amount = world.worth(token, rng.randrange(1_000, 200_000))
        for action in (Supply(token, amount), SetCollateral(token, enabled=True)):
            world.send(TRADER, account.encode(action).data)
    if rng.random() < 0.3:
        world.send(TRADER, account.encode(SetEMode(1)).data)
    for symbol in rng.sample(("WETH", "WBTC", "USDC", "DAI"), 4):
        token = world.tokens[symbol]
        free = world.read().data.available_borrows // BASE_UNIT
        amount = world.worth(token, int(free * rng.uniform(0.3, 0.99)))
        world.send(TRADER, account.encode(Borrow(token, amount)).data)


def _let_prices_fall(world: AaveWorld, rng: Random) -> None:
    for holding in world.read().holdings.values():
        symbol, position = holding.reserve.token.symbol, holding.position
        if position.is_collateral != position.is_borrowing:
            factor = rng.uniform(0.5, 1.0) if position.is_collateral else rng.uniform(1.0, 1.3)
            world.set_price(symbol, max(1, round(world.prices[symbol] * factor)))


def _draw_action(account: AaveAccount, world: AaveWorld, rng: Random) -> LendingAction:
    token = world.tokens[rng.choice(("WETH", "WETH", "WBTC", "USDC", "USDC", "DAI", "ISO", "SILO", "ZERO"))]
    holding = account.get_holding(token.address)
    free = account.data.available_borrows // BASE_UNIT
    some = world.worth(token, rng.choice((1, 1_000, 100_000))) + rng.randrange(1_000)
    kind = rng.choice((Supply, Supply, Withdraw, Borrow, Borrow, Repay, SetCollateral, SetEMode))
    if kind is SetEMode:
        return SetEMode(rng.choice((0, 1)))
    if kind is SetCollateral:
        return SetCollateral(token, enabled=rng.random() < 0.5)
    if kind is Withdraw:
        held = holding.get_supplied(account.at)
        return Withdraw(token, rng.choice((ALL, held, rng.randrange(held + 2), some)))
    if kind is Borrow:
        share = rng.choice((0.1, 0.5, 0.999, 1.01))
        return Borrow(token, rng.choice((world.worth(token, max(1, int(free * share))), some, 0)))
    if kind is Repay:
        owed = holding.get_debt(account.at)
        return Repay(token, rng.choice((ALL, rng.randrange(owed + 2), some)))
    return Supply(token, rng.choice((some, some, 1, 0)))


def _require_same(found: AaveAccount, expected: AaveAccount) -> None:
    """Flags, positions, indexes, rates and totals: all to the unit."""
    assert found.emode == expected.emode
    for token, holding in expected.holdings.items():
        assert found.holdings[token] == holding, holding.reserve.token
    assert found.data == expected.data
