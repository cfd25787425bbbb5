"""Vyper's reverts: most of Curve's checks give no reason."""

from __future__ import annotations

from typing import NoReturn

from onchain_exec.errors import PoolRevertError


def refuse(why: str, reason: str = "") -> NoReturn:
    """Raise PoolRevertError; ``reason`` is the contract's own, mostly empty."""
    raise PoolRevertError(reason, found=f"the pool would revert: {why}")
