"""What geth's pools take and what they refuse, in geth's words; without I/O.

The rules are those of core/txpool (legacypool, blobpool, validation) and of internal/ethapi.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from onchain_exec.testing.lying_node.exchange import Refusal
from onchain_exec.testing.lying_node.mempool.transaction import PoolTx

_ETHER: Final = 10**18
_TX_GAS: Final = 21_000
_CREATE_GAS: Final = 32_000


@dataclass(frozen=True, slots=True)
class Limits:
    """geth's settings with geth's defaults; bumps in percent, times in seconds, fees in wei.

    ``account_slots`` is what each account keeps when the pool overflows, not a bound on one account.
    """

    account_slots: int = 16
    account_queue: int = 64
    global_slots: int = 5_120
    global_queue: int = 1_024
    blobs_per_account: int = 16
    lifetime_s: float = 3 * 3_600
    price_bump: int = 10
    blob_price_bump: int = 100
    min_tip_wei: int = 1
    fee_cap_wei: int = _ETHER
    max_size: int = 128 * 1_024
    max_tx_gas: int = 2**24


@dataclass(frozen=True, slots=True)
class Head:
    """What a pool knows of the chain: base fee and gas limit are the next block's."""

    chain_id: int
    base_fee_wei: int
    gas_limit: int


@dataclass(frozen=True, slots=True)
class Account:
    """A sender at the newest block; ``delegated``: it has code (EIP-7702)."""

    nonce: int
    balance_wei: int
    delegated: bool = False


def may_replace(new: PoolTx, old: PoolTx, limits: Limits) -> bool:
    """Return whether ``new`` may take the place of ``old``: every fee must be higher, and at least the
    old one plus the bump, rounded down (legacypool, ``list.Add``; blobpool, ``validateTx``)."""
    bump = limits.blob_price_bump if old.blobs else limits.price_bump
    pairs = [(new.fee_cap_wei, old.fee_cap_wei), (new.tip_cap_wei, old.tip_cap_wei)]
    if old.blobs:
        pairs.append((new.blob_fee_cap_wei, old.blob_fee_cap_wei))
    return all(fee > before and fee >= before * (100 + bump) // 100 for fee, before in pairs)


def find_fault(tx: PoolTx, head: Head, limits: Limits) -> Refusal | None:
    """Return why no account could send it, or None."""
    paid_wei = tx.fee_cap_wei * tx.gas_limit
    intrinsic, floor = get_intrinsic_gas(tx)
    faults = (
        (
            limits.fee_cap_wei and paid_wei > limits.fee_cap_wei,
            f"tx fee ({paid_wei / _ETHER:.2f} ether) exceeds the configured cap"
            f" ({limits.fee_cap_wei / _ETHER:.2f} ether)",
        ),
        (not tx.protected, "only replay-protected (EIP-155) transactions allowed over RPC"),
        (
            tx.protected and tx.chain_id != head.chain_id,
            f"invalid sender: invalid chain id for signer: have {tx.chain_id} want {head.chain_id}",
        ),
        (
            not tx.blobs and len(tx.raw) > limits.max_size,
            f"oversized data: transaction size {len(tx.raw)}, limit {limits.max_size}",
        ),
        (
            tx.gas_limit > limits.max_tx_gas,
            f"transaction gas limit too high (cap: {limits.max_tx_gas}, tx: {tx.gas_limit})",
        ),
        (tx.gas_limit > head.gas_limit, "exceeds block gas limit"),
        (
            tx.tip_cap_wei > tx.fee_cap_wei,
            "max priority fee per gas higher than max fee per gas:"
            f" address {tx.sender}, maxPriorityFeePerGas: {tx.tip_cap_wei}, maxFeePerGas: {tx.fee_cap_wei}",
        ),
        (
            tx.gas_limit < intrinsic,
            f"intrinsic gas too low: gas {tx.gas_limit}, minimum needed {intrinsic}",
        ),
        (
            tx.gas_limit < floor,
            f"insufficient gas for floor data gas cost: gas {tx.gas_limit}, minimum needed {floor}",
        ),
        (
            tx.tip_cap_wei < limits.min_tip_wei,
            f"transaction underpriced: gas tip cap {tx.tip_cap_wei}, minimum needed {limits.min_tip_wei}",
        ),
    )
    return next((refuse(words) for found, words in faults if found), None)


def find_shortage(tx: PoolTx, account: Account, spent_wei: int, old: PoolTx | None) -> Refusal | None:
    """Return why its account cannot send it, or None; ``spent_wei`` is what the account's executable
    transactions cost, ``old`` the one whose place it takes."""
    balance_wei, cost_wei = account.balance_wei, tx.cost_wei
    if tx.nonce < account.nonce:
        return refuse(f"nonce too low: next nonce {account.nonce}, tx nonce {tx.nonce}")
    words = f"insufficient funds for gas * price + value: balance {balance_wei}"
    if balance_wei < cost_wei:
        return refuse(f"{words}, tx cost {cost_wei}, overshot {cost_wei - balance_wei}")
    bump_wei = cost_wei - (old.cost_wei if old else 0)
    if balance_wei < spent_wei + bump_wei:
        kind = "bumped" if old else "cost"
        overshot_wei = spent_wei + bump_wei - balance_wei
        return refuse(f"{words}, queued cost {spent_wei}, tx {kind} {bump_wei}, overshot {overshot_wei}")
    return None


def get_intrinsic_gas(tx: PoolTx) -> tuple[int, int]:
    """Return the gas it takes before any execution, without access list and authorisations, and the
    floor of EIP-7623."""
    zeros = tx.data.count(0)
    tokens = zeros + 4 * (len(tx.data) - zeros)
    create = 0 if tx.to else _CREATE_GAS + 2 * ((len(tx.data) + 31) // 32)
    return _TX_GAS + 4 * tokens + create, _TX_GAS + 10 * tokens


def refuse(words: str) -> Refusal:
    """Return a refusal as geth gives it: all of a pool's have the same code."""
    return Refusal(-32000, words)
