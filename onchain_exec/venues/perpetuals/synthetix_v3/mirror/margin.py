"""What positions are worth and what margin they need. Mirror of ``Position`` and ``PerpsAccount``."""

from __future__ import annotations

from typing import Final, NamedTuple

from onchain_exec.venues.perpetuals.decimals import mul_d
from onchain_exec.venues.perpetuals.synthetix_v3.mirror.market import Market
from onchain_exec.venues.perpetuals.synthetix_v3.mirror.state import Account, Position, State


class Pnl(NamedTuple):
    """What a position gained by price and funding, and owes as interest."""

    price: int
    funding: int
    interest: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.price + self.funding - self.interest


def get_pnl(state: State, market: Market, position: Position, price: int) -> Pnl:
    """Return a position's gains at a price. Mirror of ``Position.getPnl``."""
    locked = mul_d(mul_d(abs(position.size), price), market.rules.locked_oi)
    return Pnl(
        mul_d(position.size, price - position.price),
        mul_d(position.size, market.get_funding_value(price, state.at) - position.funding),
        mul_d(locked, state.interest.get_accrued(state.at) - position.interest),
    )


def get_open(state: State, account: Account) -> list[tuple[Market, Position]]:
    """Return an account's positions with their markets."""
    return [(state.get_market(market), position) for market, position in account.positions.items()]


def get_available_margin(state: State, account: Account) -> int:
    """Return collateral with gains, less debt. Mirror of ``getAvailableMargin``."""
    gains = sum(get_pnl(state, market, held, market.price).total for market, held in get_open(state, account))
    return account.usd + account.others_discounted + gains - account.debt


class Margins(NamedTuple):
    """What all positions need, and what keepers may get for their liquidation."""

    initial: int
    maintenance: int
    reward: int


def get_margins(state: State, account: Account) -> Margins:
    """Return what an account's positions need. Mirror of ``getAccountRequiredMargins``."""
    if not account.positions:
        return Margins(0, 0, 0)
    held = get_open(state, account)
    needs = [market.rules.get_margins(position.size, market.price) for market, position in held]
    reward = get_liquidation_reward(state, account, NOTHING)
    return Margins(sum(need[0] for need in needs), sum(need[1] for need in needs), reward)


def get_margins_with(state: State, account: Account, market: Market, size: int, fill_price: int) -> int:
    """Return the initial margin, rewards included, were a position of another size.

    Mirror of ``getRequiredMarginWithNewPosition`` where the position is not reduced.
    """
    held = account.positions.get(market.id)
    before = market.rules.get_margins(held.size if held else 0, market.price)[0]
    after = market.rules.get_margins(size, market.price)[0]
    flag = mul_d(mul_d(abs(size), fill_price), market.rules.flag_reward)
    new = _Liquidation(flag, market.rules.count_windows(size))
    reward = get_liquidation_reward(state, account, new, market.id)
    return get_margins(state, account).initial + after - before + reward


class _Liquidation(NamedTuple):
    """What a position adds to a liquidation: a reward for flagging it, and windows."""

    flag_reward: int
    windows: int


NOTHING: Final = _Liquidation(0, 0)


def get_liquidation_reward(state: State, account: Account, new: _Liquidation, skipped: int = 0) -> int:
    """Return what keepers may get for an account, a new position in place of the market ``skipped``'s.

    Mirror of ``getKeeperRewardsAndCosts`` and ``getPossibleLiquidationReward``.
    """
    parts = [new]
    for market, position in get_open(state, account):
        if market.id != skipped:
            flag = mul_d(mul_d(abs(position.size), market.price), market.rules.flag_reward)
            parts.append(_Liquidation(flag, market.rules.count_windows(position.size)))
    of_collateral = mul_d(account.value, state.liquidation_reward)
    flags = max(sum(part.flag_reward for part in parts), of_collateral)
    costs, windows = state.keeper_costs, max(part.windows for part in parts)
    flag_cost = costs.get_flag(account.others + len(account.positions))
    first = state.keeper_rules.get_reward(flags, flag_cost + costs.liquidate, account.value)
    if not windows:
        return first
    return first + state.keeper_rules.get_reward(0, costs.liquidate, 0) * (windows - 1)


def is_liquidatable(state: State, account: Account) -> bool:
    """Return whether anybody may liquidate the account. ``canLiquidate``."""
    needs = get_margins(state, account)
    return account.is_flagged or needs.maintenance + needs.reward > get_available_margin(state, account)


def get_withdrawable(state: State, account: Account) -> int:
    """Return what may be taken out, in dollars. Mirror of ``getWithdrawableMargin``."""
    if account.debt:
        return 0
    if not account.positions:
        return account.value
    needs = get_margins(state, account)
    return get_available_margin(state, account) - needs.initial - needs.reward
