"""The words every layer speaks: addresses, tokens, amounts, blocks, described reads, orders."""

from onchain_exec.core.address import ZERO_ADDRESS, Address, address_bytes, to_address
from onchain_exec.core.amount import (
    format_amount,
    format_swap,
    format_tokens,
    parse_amount,
    require_base_units,
)
from onchain_exec.core.block import BlockRef
from onchain_exec.core.call import Answer, Call, Snapshot
from onchain_exec.core.condition import Comparison, Condition
from onchain_exec.core.instant import format_time
from onchain_exec.core.log import Log
from onchain_exec.core.order import Exact, Order
from onchain_exec.core.parent import ParentOrder
from onchain_exec.core.reading import Reading, all_of
from onchain_exec.core.receipt import Receipt
from onchain_exec.core.token import Token

__all__ = [
    "ZERO_ADDRESS",
    "Address",
    "Answer",
    "BlockRef",
    "Call",
    "Comparison",
    "Condition",
    "Exact",
    "Log",
    "Order",
    "ParentOrder",
    "Reading",
    "Receipt",
    "Snapshot",
    "Token",
    "address_bytes",
    "all_of",
    "format_amount",
    "format_swap",
    "format_time",
    "format_tokens",
    "parse_amount",
    "require_base_units",
    "to_address",
]
