"""Quotes, plans and orders as JSON documents: integers of base units as text, prices as decimals."""

from __future__ import annotations

from typing import Any

from onchain_exec.app.path.ways import Choice
from onchain_exec.core import Token
from onchain_exec.execution import SimulatedTx
from onchain_exec.risk import Denied
from onchain_exec.routing import Quote, Tolerance
from onchain_exec.venues import Hop


def quote_to_json(quote: Quote) -> dict[str, Any]:
    """Return a quote with its route, costs and bounds."""
    order, route = quote.order, quote.route
    return {
        "chain_id": quote.block.chain_id,
        "block_number": quote.block.number,
        "block_hash": quote.block.hash,
        "made_at": quote.made_at,
        "sell": _token_to_json(order.token_in),
        "buy": _token_to_json(order.token_out),
        "exact": order.exact.value,
        "amount_in": str(quote.amount_in),
        "amount_out": str(quote.amount_out),
        "amount_out_min": str(quote.amount_out_min),
        "amount_in_max": str(quote.amount_in_max),
        "max_slippage_bps": order.max_slippage_bps,
        "tolerance": None if quote.tolerance is None else _tolerance_to_json(quote.tolerance),
        "price": format(quote.price, "f"),
        "fee_bps": format(quote.fee_bps, ".4f"),
        "impact_bps": format(quote.impact_bps, ".4f"),
        "fee_cost": str(quote.fee_cost),
        "impact_cost": str(quote.impact_cost),
        "gas_units": route.gas_units,
        "gas_cost_wei": str(quote.gas_cost_wei),
        "gas_cost_out": None if quote.gas_cost_out is None else str(quote.gas_cost_out),
        "best_single_amount": None if route.best_single_amount is None else str(route.best_single_amount),
        "legs": [[_hop_to_json(hop) for hop in leg.hops] for leg in route.legs],
    }


def transaction_to_json(simulated: SimulatedTx) -> dict[str, Any]:
    """Return an unsigned transaction with the names that `web3` takes, and before it, under
    ``depends_on``, those that must be mined first. Without a nonce: it is leased when it is signed."""
    plan = simulated.plan
    return {
        "purpose": plan.purpose.value,
        "chainId": plan.block.chain_id,
        "from": plan.sender,
        "to": plan.to,
        "data": "0x" + plan.data.hex(),
        "value": str(plan.value_wei),
        "grant": plan.grant or None,
        "gas": simulated.gas_limit,
        "maxFeePerGas": str(plan.fees.max_fee_wei),
        "maxPriorityFeePerGas": str(plan.fees.max_priority_fee_wei),
        "depends_on": [transaction_to_json(step) for step in simulated.depends_on],
    }


def choice_to_json(choice: Choice) -> dict[str, Any]:
    """Return which router the swap goes through, and why."""
    return {
        "chosen": choice.chosen,
        "gas_units": dict(choice.gas_units),
        "excluded": dict(choice.excluded),
    }


def denial_to_json(denied: Denied) -> dict[str, Any]:
    """Return why an order was refused."""
    return {"code": denied.code.value, "found": denied.found, "limit": denied.limit, "todo": denied.todo}


def _tolerance_to_json(tolerance: Tolerance) -> dict[str, Any]:
    return {
        "reason": tolerance.reason.value,
        "blocks": tolerance.blocks,
        "at_stake": str(tolerance.at_stake),
        "deviation_per_block": tolerance.deviation_per_block,
        "revert_chance": tolerance.revert_chance,
    }


def _token_to_json(token: Token) -> dict[str, Any]:
    return {"symbol": token.symbol, "address": token.address, "decimals": token.decimals}


def _hop_to_json(hop: Hop) -> dict[str, Any]:
    return {
        "pool": hop.pool.key,
        "token_in": hop.token_in.address,
        "token_out": hop.token_out.address,
        "amount_in": str(hop.amount_in),
        "amount_out": str(hop.amount_out),
        "fee_amount": str(hop.fee_amount),
    }
