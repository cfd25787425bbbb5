"""Vyper's reverts: most of Curve's checks give no reason."""

from __future__ import annotations

from typing import NoReturn

from onchain_exec.errors import PoolRevertError


def refuse(why: str, reason: str = "") -> NoReturn:
    """Raise PoolRevertError; ``reason`` is the contract's own, mostly empty."""
    raise PoolRevertError(reason, found=f"the pool would revert: {why}")


def require_output(amount_in: int, amount_out: int) -> None:
    """Refuse a swap whose output is negative: the contract subtracts one unit more than there is."""
    if amount_out < 0:
        refuse(f"{amount_in} in gives nothing out")
