"""Random deeds on Perpetual Protocol v2: what the mirror says of each, and the call that does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from curie import FOREVER, GAMBLER, KEEPER, MAKER, PEOPLE, SPACINGS, TRADER, Curie
from random_cases import pick_scale

from onchain_exec.core import Address, Call, Exact
from onchain_exec.core.fixed_point import WAD
from onchain_exec.venues.perpetuals.perp_v2 import actions
from onchain_exec.venues.perpetuals.perp_v2.actions import Sender
from onchain_exec.venues.perpetuals.perp_v2.mirror.liquidation import liquidate
from onchain_exec.venues.perpetuals.perp_v2.mirror.maker import (
    Range,
    add_liquidity,
    cancel_excess_orders,
    remove_liquidity,
)
from onchain_exec.venues.perpetuals.perp_v2.mirror.margin import get_free_collateral, get_free_token
from onchain_exec.venues.perpetuals.perp_v2.mirror.state import State
from onchain_exec.venues.perpetuals.perp_v2.mirror.swap import Swap
from onchain_exec.venues.perpetuals.perp_v2.mirror.taker import close_position, open_position
from onchain_exec.venues.perpetuals.perp_v2.mirror.vault import (
    deposit,
    get_largest_sale,
    liquidate_collateral,
    withdraw,
)


@dataclass(frozen=True)
class Deed:
    """An action: its name, the state after it as the mirror has it, and the call."""

    name: str
    foresee: Callable[[State], State]
    call: Call


def draw_ranges(rng: Random, curie: Curie, state: State) -> dict[Address, Range]:
    """A range for each market, around its price, for a new order."""
    ranges = {}
    for symbol, spacing in SPACINGS.items():
        tick = state.get_market(curie.base(symbol)).curve.tick // spacing
        lower = tick + rng.randint(-6, 4)
        ranges[curie.base(symbol)] = Range(lower * spacing, (lower + rng.randint(1, 8)) * spacing)
    return ranges


def draw_deed(rng: Random, curie: Curie, state: State, ranges: dict[Address, Range]) -> Deed:
    """Any action of anybody."""
    who = rng.choices(PEOPLE, (2, 4, 1, 4))[0]
    base = rng.choice([market.base_token for market in curie.at.markets.values()])
    makers = (_open, _open, _open, _close, _deposit, _withdraw, _add, _remove, _liquidate, _cancel, _sell_off)
    return rng.choice(makers)(rng, state, who, base, ranges[base])


def _open(rng: Random, state: State, who: Address, base: Address, _: Range) -> Deed:
    sells, exact = rng.random() < 0.5, rng.choice(list(Exact))
    of_base = sells == (exact is Exact.IN)
    price = state.get_market(base).get_mark_price_wad(state.rules, state.at)
    worth = pick_scale(rng, 1, 400_000 * WAD)
    if who == GAMBLER:  # all that the collateral bears, or nearly
        free = get_free_collateral(state, state.get_account(who), state.rules.initial_margin_pips)
        worth = max(free, WAD) * rng.randint(70, 101) // 10
    wish = Swap(sells, exact, worth * WAD // price + 1 if of_base else worth)
    if rng.random() < 0.1:
        root = state.get_market(base).curve.sqrt_price_x96
        wish = Swap(sells, exact, wish.amount, root * (999 if sells else 1_001) // 1_000)
    sender = Sender(who, FOREVER)
    return Deed(
        f"open {wish}",
        lambda s: open_position(s, who, base, wish).state,
        actions.encode_open(state.contracts, sender, base, wish, 0),
    )


def _close(_: Random, state: State, who: Address, base: Address, __: Range) -> Deed:
    call = actions.encode_close(state.contracts, Sender(who, FOREVER), base, 0)
    return Deed("close", lambda s: close_position(s, who, base).state, call)


def _deposit(rng: Random, state: State, who: Address, _: Address, __: Range) -> Deed:
    token = rng.choice([state.settlement, *(one.token for one in state.collateral.values())])
    dollars = {"USDC": 1, "WETH": 3_000, "WBTC": 60_000}[token.symbol]
    amount = pick_scale(rng, 1, 50_000 * 10**token.decimals // dollars)
    call = actions.encode_deposit(state.contracts, who, token.address, amount)
    return Deed(f"deposit {token}", lambda s: deposit(s, who, token.address, amount), call)


def _withdraw(rng: Random, state: State, who: Address, _: Address, __: Range) -> Deed:
    token = rng.choice([state.settlement, *(one.token for one in state.collateral.values())])
    free = get_free_token(state, state.get_account(who), token.address)
    amount = free + rng.randint(-3, 3) if rng.random() < 0.3 else rng.randint(0, max(free, 1))
    amount = max(amount, 0)
    call = actions.encode_withdraw(state.contracts, who, token.address, amount)
    return Deed(f"withdraw {token}", lambda s: withdraw(s, who, token.address, amount), call)


def _add(rng: Random, state: State, who: Address, base: Address, where: Range) -> Deed:
    if who == GAMBLER:  # whoever has orders cannot be liquidated before they are cancelled
        return _open(rng, state, who, base, where)
    orders = state.get_account(who).get_position(base).orders
    if orders and rng.random() < 0.5:
        order = rng.choice(orders)
        where = Range(order.tick_lower, order.tick_upper)
    quote = pick_scale(rng, 1, 300_000 * WAD)
    amounts = (quote * WAD // state.get_market(base).get_mark_price_wad(state.rules, state.at), quote)
    call = actions.encode_add_liquidity(state.contracts, Sender(who, FOREVER), base, where, amounts)
    return Deed(f"add {where}", lambda s: add_liquidity(s, who, base, where, amounts).state, call)


def _remove(rng: Random, state: State, who: Address, base: Address, where: Range) -> Deed:
    orders = state.get_account(who).get_position(base).orders
    if not orders:
        return _add(rng, state, who, base, where)
    order = rng.choice(orders)
    where, held = Range(order.tick_lower, order.tick_upper), order.liquidity
    # the pool's makers stay, or there would soon be nobody to trade with
    part = rng.choice([0, held // 3, held // 7 if who == MAKER else held, held * 3])
    call = actions.encode_remove_liquidity(state.contracts, Sender(who, FOREVER), base, where, part)
    return Deed(f"remove {part} {where}", lambda s: remove_liquidity(s, who, base, where, part).state, call)


def draw_liquidation(rng: Random, state: State, who: Address, base: Address) -> Deed:
    """A keeper takes over all that may be, or a part, or tries the wrong way."""
    size = state.get_account(who).get_position(base).size * rng.choice([0, 0, 1, -1]) // rng.choice([1, 3])
    call = actions.encode_liquidate(state.contracts, KEEPER, who, base, size)
    return Deed(f"liquidate {size}", lambda s: liquidate(s, KEEPER, who, base, size).state, call)


def _liquidate(rng: Random, state: State, _: Address, base: Address, __: Range) -> Deed:
    return draw_liquidation(rng, state, rng.choice([TRADER, GAMBLER, GAMBLER]), base)


def _cancel(_: Random, state: State, __: Address, base: Address, ___: Range) -> Deed:
    call = actions.encode_cancel_orders(state.contracts, KEEPER, TRADER, base)
    return Deed("cancel", lambda s: cancel_excess_orders(s, TRADER, base), call)


def _sell_off(rng: Random, state: State, _: Address, __: Address, ___: Range) -> Deed:
    token = rng.choice(list(state.collateral))
    who = rng.choice([TRADER, GAMBLER])
    sale = get_largest_sale(state, state.get_account(who), token)
    call = actions.encode_liquidate_collateral(state.contracts, KEEPER, who, token, sale.collateral)
    return Deed("sell off", lambda s: liquidate_collateral(s, KEEPER, who, token)[0], call)
