"""Calldata of Gamma's controller: one call runs a list of actions on one vault, and then requires that the
vault holds enough. What it takes, the margin pool pulls."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from onchain_exec.core import ZERO_ADDRESS, Address, Call
from onchain_exec.core.abi import Function
from onchain_exec.venues.options.opyn.vault import VaultKind

_OPERATE: Final = Function("operate((uint8,address,address,address,uint256,uint256,uint256,bytes)[])")


class ActionType(IntEnum):
    """``Actions.ActionType``."""

    OPEN_VAULT = 0
    MINT_SHORT = 1
    BURN_SHORT = 2
    DEPOSIT_LONG = 3
    WITHDRAW_LONG = 4
    DEPOSIT_COLLATERAL = 5
    WITHDRAW_COLLATERAL = 6
    SETTLE_VAULT = 7
    REDEEM = 8
    CALL = 9
    LIQUIDATE = 10


@dataclass(frozen=True, slots=True)
class Account:
    """A vault's owner and its number, from 1."""

    owner: Address
    vault_id: int


@dataclass(frozen=True, slots=True)
class Action:
    """``Actions.ActionArgs``: ``other`` is where the asset comes from or goes to."""

    kind: ActionType
    owner: Address = ZERO_ADDRESS
    other: Address = ZERO_ADDRESS
    asset: Address = ZERO_ADDRESS
    vault_id: int = 0
    amount: int = 0
    data: bytes = b""


def encode_operate(controller: Address, actions: tuple[Action, ...]) -> Call:
    """Return the call that runs actions in their order, all or none."""
    rows = [
        (one.kind.value, one.owner, one.other, one.asset, one.vault_id, one.amount, 0, one.data)
        for one in actions
    ]
    return Call(controller, _OPERATE.encode(rows))


def open_vault(account: Account, kind: VaultKind) -> Action:
    """Return the action that opens a vault; its number must be the owner's next."""
    data = kind.value.to_bytes(32)
    return Action(ActionType.OPEN_VAULT, account.owner, account.owner, vault_id=account.vault_id, data=data)


def move(kind: ActionType, account: Account, asset: Address, amount: int) -> Action:
    """Return the action that mints or burns a short, or moves a long or collateral in or out, between a vault
    and its owner."""
    return Action(kind, account.owner, account.owner, asset, account.vault_id, amount)


def settle_vault(account: Account) -> Action:
    """Return the action that pays an expired vault's excess to its owner."""
    return Action(ActionType.SETTLE_VAULT, account.owner, account.owner, vault_id=account.vault_id)


def redeem(holder: Address, otoken: Address, amount: int) -> Action:
    """Return the action that burns expired tokens for what they are worth."""
    return Action(ActionType.REDEEM, other=holder, asset=otoken, amount=amount)
