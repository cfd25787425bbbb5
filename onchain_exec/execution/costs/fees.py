"""What to pay per unit of gas: from fee history, for so many blocks, within a budget."""

from __future__ import annotations

import enum
from typing import Final

from onchain_exec.chain import FeeHistory, Node
from onchain_exec.core import BlockRef
from onchain_exec.errors import GasError
from onchain_exec.execution.plan import Fees

_HISTORY_BLOCKS: Final = 20
_TIP_FLOOR_WEI: Final = 1_000_000
"""Block builders skip a lower tip (geth's default minimum): a capped tip of 1 wei is never mined."""


class Urgency(enum.Enum):
    """The percentile, by gas, of recent tips that the transaction outbids."""

    LOW = 10
    NORMAL = 50
    HIGH = 90


def choose_fees(
    history: FeeHistory, urgency: Urgency, survive_blocks: int, max_fee_wei: int | None = None
) -> Fees:
    """Return fees that stay payable for ``survive_blocks`` blocks after the next, all of them full.

    ``history`` holds the tips at the percentiles of `Urgency`, in its order. The tip is the median
    of the urgency's over the blocks that were not empty. ``max_fee_wei`` is the budget per unit of
    gas: it takes from the head-room first, then from the tip, never below the least that is mined.

    Raises:
        GasError: the budget does not pay the next block's base fee and the least tip.
    """
    tip = max(_median_tip(history, urgency), _TIP_FLOOR_WEI)
    wanted = get_base_fee_after(history.next_base_fee_wei, survive_blocks) + tip
    if max_fee_wei is None or wanted <= max_fee_wei:
        return Fees(wanted, tip)
    _require_budget(max_fee_wei, history.next_base_fee_wei + _TIP_FLOOR_WEI)
    return Fees(max_fee_wei, min(tip, max_fee_wei - history.next_base_fee_wei))


def get_base_fee_after(base_fee_wei: int, blocks: int) -> int:
    """Return the highest base fee that ``blocks`` full blocks can lead to: about (9/8)**blocks.

    Rounded as EIP-1559 does: each block adds an eighth rounded down, and 1 wei at least. Chains
    with other parameters (OP stack, Polygon) rise more slowly.
    """
    for _ in range(blocks):
        base_fee_wei += max(base_fee_wei // 8, 1)
    return base_fee_wei


def bump_fees(old: Fees, market: Fees, max_fee_wei: int | None = None) -> Fees:
    """Return fees that replace a pooled transaction with ``old`` ones, and meet the market if the
    budget allows.

    Both fields rise by more than a tenth: geth wants ``old * 110 // 100`` and more than before,
    others strictly more than 10 % above. With blobs all three more than double: blob pools want
    100 %. A legacy price counts as both fields and stays one.

    Raises:
        GasError: the replacement alone is beyond ``max_fee_wei``.
    """
    share = 1 if old.max_blob_fee_wei is not None else 10
    least_fee, least_tip = _bump(old.max_fee_wei, share), _bump(old.max_priority_fee_wei, share)
    fee = max(least_fee, market.max_fee_wei)
    if max_fee_wei is not None:
        _require_budget(max_fee_wei, least_fee)
        fee = min(fee, max_fee_wei)
    tip = fee if old.legacy else min(fee, max(least_tip, market.max_priority_fee_wei))
    blob_fee = old.max_blob_fee_wei
    if blob_fee is not None:
        blob_fee = max(_bump(blob_fee, share), market.max_blob_fee_wei or 0)
    return Fees(fee, tip, old.legacy, blob_fee)


async def read_fees(
    node: Node,
    block: BlockRef,
    max_fee_wei: int | None = None,
    *,
    urgency: Urgency = Urgency.NORMAL,
    survive_blocks: int = 6,
) -> Fees:
    """Return the fees for a transaction decided at ``block``; see `choose_fees`.

    A chain without EIP-1559 gives a legacy gas price, the node's own suggestion.

    Raises:
        GasError: the budget does not pay.
    """
    if not block.base_fee_wei and await _is_before_eip1559(node, block):
        price = int(await node.rpc.request("eth_gasPrice"), 16)
        if max_fee_wei is not None:
            _require_budget(max_fee_wei, price)
        return Fees(price, price, legacy=True)
    percentiles = [urgency.value for urgency in Urgency]
    history = await node.fee_history(_HISTORY_BLOCKS, percentiles, block)
    return choose_fees(history, urgency, survive_blocks, max_fee_wei)


async def _is_before_eip1559(node: Node, block: BlockRef) -> bool:
    header = await node.rpc.request("eth_getBlockByNumber", (hex(block.number), False))
    return header is not None and header.get("baseFeePerGas") is None


def _median_tip(history: FeeHistory, urgency: Urgency) -> int:
    column = list(Urgency).index(urgency)
    rows = zip(history.rewards_wei, history.gas_used_ratios, strict=False)
    tips = sorted(row[column] for row, ratio in rows if ratio > 0)
    return tips[len(tips) // 2] if tips else 0


def _bump(fee_wei: int, share: int) -> int:
    return fee_wei + fee_wei // share + 1


def _require_budget(max_fee_wei: int, needed_wei: int) -> None:
    if max_fee_wei < needed_wei:
        raise GasError(
            f"the budget is {max_fee_wei} wei per gas",
            needed=f"{needed_wei} wei per gas",
            todo="Raise the budget, or wait until fees fall",
        )
