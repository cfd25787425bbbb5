"""The gas limit: from what a simulation took, with head-room, within what the chain allows."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from onchain_exec.errors import GasError


class L1Fee(enum.Enum):
    """How a rollup charges for its data on the chain below."""

    NONE = "none"
    OP_STACK = "op_stack"
    """Beside the gas, in wei, from the sender's balance; with an operator's fee."""
    ARBITRUM = "arbitrum"
    """As gas, at the rollup's price: the gas limit must hold it."""


@dataclass(frozen=True, slots=True)
class GasRules:
    """What a chain allows and charges.

    ``tx_gas_cap`` is the most one transaction may ask for (EIP-7825: 2**24, which chains with a
    higher cap or none accept as well); ``block_time_s`` is the time from block to block, 1 where it
    is shorter.
    """

    tx_gas_cap: int = 1 << 24
    block_time_s: int = 12
    l1_fee: L1Fee = L1Fee.NONE


def choose_gas_limit(gas_used: int, data: bytes, cap: int) -> int:
    """Return the limit for a transaction that took ``gas_used`` after refunds, at most ``cap``.

    Refunds give back at most a fifth of what was used (EIP-3529), so the peak was at most 5/4 of
    ``gas_used``; a tenth is added for state that moves until inclusion. Never below the floor for
    calldata. It is a proposal: only a simulation at this very limit shows that it is enough.

    Raises:
        GasError: the transaction took more than the cap, or its calldata alone needs more.
    """
    least = max(gas_used, get_floor_gas(data))
    if least > cap:
        raise GasError(
            f"the transaction needs {least} gas",
            needed=f"at most {cap}, the chain's limit for one transaction",
            todo="Split the order into smaller ones",
        )
    return min(max(gas_used * 5 * 11 // (4 * 10), get_floor_gas(data)), cap)


def get_intrinsic_gas(data: bytes) -> int:
    """Return what a call pays before it runs: 21,000, 4 for a zero byte and 16 for another."""
    zeros = data.count(0)
    return 21_000 + 4 * zeros + 16 * (len(data) - zeros)


def get_floor_gas(data: bytes) -> int:
    """Return the least gas that a call with this calldata pays: 21,000 and 10 per token, where a
    zero byte is one token and another byte is four (EIP-7623)."""
    zeros = data.count(0)
    return 21_000 + 10 * (zeros + 4 * (len(data) - zeros))
