"""Calldata of a Lyra market."""

from __future__ import annotations

from typing import Final

from onchain_exec.core import Address, Call
from onchain_exec.core.abi import Function
from onchain_exec.venues.options.lyra.pricer import Direction
from onchain_exec.venues.options.lyra.state import Contracts
from onchain_exec.venues.options.lyra.trade import LyraOrder

_INPUT: Final = "((uint256,uint256,uint256,uint8,uint256,uint256,uint256,uint256))"
_TRADES: Final = {
    Direction.OPEN: Function(f"openPosition{_INPUT}"),
    Direction.CLOSE: Function(f"closePosition{_INPUT}"),
    Direction.FORCE_CLOSE: Function(f"forceClosePosition{_INPUT}"),
}
_ADD_COLLATERAL: Final = Function("addCollateral(uint256,uint256)")
_LIQUIDATE: Final = Function("liquidatePosition(uint256,address)")
_SETTLE_BOARD: Final = Function("settleExpiredBoard(uint256)")
_SETTLE_OPTIONS: Final = Function("settleOptions(uint256[])")


def encode_trade(contracts: Contracts, order: LyraOrder, cost_min: int, cost_max: int) -> Call:
    """Return the call that trades; it reverts if the total cost (premium and fees, in base units of the
    quote) leaves ``cost_min`` to ``cost_max``."""
    arguments = (
        order.strike_id,
        order.holding.position_id,
        order.iterations,
        order.option_type.value,
        order.amount,
        order.collateral_to,
        cost_min,
        cost_max,
    )
    return Call(contracts.market, _TRADES[order.direction].encode(arguments))


def encode_add_collateral(contracts: Contracts, position_id: int, amount: int) -> Call:
    """Return the call by which anybody gives a short more collateral."""
    return Call(contracts.market, _ADD_COLLATERAL.encode(position_id, amount))


def encode_liquidation(contracts: Contracts, position_id: int, beneficiary: Address) -> Call:
    """Return the call that liquidates a short; the fee goes to ``beneficiary``."""
    return Call(contracts.market, _LIQUIDATE.encode(position_id, beneficiary))


def encode_board_settlement(contracts: Contracts, board_id: int) -> Call:
    """Return the call by which anybody settles an expired board at the oracle's price."""
    return Call(contracts.market, _SETTLE_BOARD.encode(board_id))


def encode_option_settlement(contracts: Contracts, position_ids: tuple[int, ...]) -> Call:
    """Return the call that pays the owners of positions of settled boards."""
    return Call(contracts.short_collateral, _SETTLE_OPTIONS.encode(list(position_ids)))
