"""Accounts looked after once an action is done: how near liquidation they are, and what is done about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from onchain_exec.app.path.context import Context
from onchain_exec.app.path.recover import resume_all
from onchain_exec.app.path.run import require_signer
from onchain_exec.app.positions.accounts import ActionRequest, list_named, perform
from onchain_exec.app.positions.reads import list_venues, read_position, read_positions
from onchain_exec.core import Address, BlockRef
from onchain_exec.core.fixed_point import WAD
from onchain_exec.errors import ConfigError
from onchain_exec.oms import OrderView
from onchain_exec.oms.book.states import OrderState
from onchain_exec.risk.collateral import Breach, CollateralLimits, find_breaches
from onchain_exec.risk.collateral_care import find_least_care
from onchain_exec.venues.collateral import CollateralAccount, Health


@dataclass(frozen=True, slots=True)
class PositionReport:
    """An account in its health at a block, and the alarms: the limits that it does not keep."""

    key: str
    owner: Address
    block: BlockRef
    health: Health
    alarms: tuple[Breach, ...]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values, amounts as text; a health factor of null owes nothing."""
        health = self.health
        return {
            "venue": self.key,
            "account": self.owner,
            "block": {"number": self.block.number, "hash": self.block.hash},
            "health_factor_wad": None if health.owes_nothing else str(health.health_factor_wad),
            "margin_ratio_wad": None if health.margin_ratio_wad is None else str(health.margin_ratio_wad),
            "free_collateral": str(health.free_collateral),
            "liquidatable": health.is_liquidatable,
            "distance_bps": health.distance_bps,
            "liquidation_prices": [
                {
                    "asset": found.asset,
                    "price": str(found.price),
                    "liquidation_price": str(found.liquidation_price),
                    "distance_bps": found.distance_bps,
                }
                for found in health.liquidation_prices
            ],
            "alarms": [
                {"code": alarm.code.value, "found": alarm.found, "needed": alarm.limit}
                for alarm in self.alarms
            ],
        }


async def look(
    context: Context, owner: Address, limits: CollateralLimits, venues: Sequence[str] = ()
) -> tuple[PositionReport, ...]:
    """Return the account of ``owner`` at ``venues`` (none: at every one that the chain lists), all at the
    newest block.

    Raises:
        NodeError: the node fails.
        StateError: a venue counts otherwise than its mirror.
    """
    block = await context.node.get_block("latest")
    accounts = [
        account
        for venue in venues or list_venues(context.profile)
        for account in await read_positions(context, venue, owner, block)
    ]
    return tuple(
        PositionReport(account.key, owner, block, health, find_breaches(health, limits))
        for account in accounts
        for health in (account.health,)
    )


@dataclass(frozen=True, slots=True)
class Care:
    """An order that is given when an account comes too near: ``make`` gives the action of an amount (a
    top-up, a repayment, a trade that reduces).

    It acts below ``below_wad``, and takes the least that brings the health factor to ``target_wad``, at
    most ``at_most``.

    Raises:
        ConfigError: a health factor of which anybody may liquidate, as 1.5 is without its 18 decimals, or a
            target that is too near itself.
    """

    venue: str
    make: Callable[[int], Any]
    below_wad: int
    target_wad: int
    at_most: int

    def __post_init__(self) -> None:
        if not WAD <= self.below_wad <= self.target_wad:
            raise ConfigError(
                f"care below {self.below_wad}, up to {self.target_wad}",
                needed="10**18 or more, and a target that is not below it",
                todo="Give 18 decimals: 1.2 is 12 * 10**17",
            )


async def take_care(context: Context, care: Care, client_order_id: str | None = None) -> OrderView | None:
    """Act if the account needs it; return the order, or None if it does not.

    While an action of the account there is out and nobody knows its end, that one is taken further and
    returned instead: two of them would do too much.

    The target is foreseen at the time up to which the transaction may run, and held inside it by a
    guard where ``at_most`` reaches it.

    Raises:
        OnchainExecError: as of `perform`.
    """
    owner, block = require_signer(context).address, await context.node.get_block("latest")
    named = list_named([care.make(care.at_most)])
    account = await read_position(context, care.venue, owner, block, named)
    if account.health.health_factor_wad >= care.below_wad:
        return None
    if (out := _find_out(context, account)) is not None:
        await resume_all(context)
        return context.journal.read_order(out.order_id)
    late = account.at_time(max(context.now(), block.timestamp) + context.policy.time_to_live_s)
    action, reaches = find_least_care(late, care.make, care.target_wad, care.at_most)
    guards = (account.require_health(care.target_wad),) if reaches else ()
    return await perform(
        context, ActionRequest(care.venue, (action,), guards, client_order_id=client_order_id)
    )


def _find_out(context: Context, account: CollateralAccount[Any]) -> OrderView | None:
    """Return an order whose bytes may still act on the account, None where there is none."""
    for order in context.journal.read_open().orders:
        is_here = any(slot[:2] == (context.node.chain_id, account.owner) for slot in order.slots)
        is_signed = order.state is not OrderState.NEW
        if is_here and is_signed and order.action and order.action.venue == account.key:
            return order
    return None
