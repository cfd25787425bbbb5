"""What an account sends: `Call`s to the clearing house and the vault."""

from __future__ import annotations

from dataclasses import dataclass

from onchain_exec.core import Address, Call, Exact
from onchain_exec.venues.perpetuals.perp_v2 import contracts as abi
from onchain_exec.venues.perpetuals.perp_v2.mirror.maker import Range
from onchain_exec.venues.perpetuals.perp_v2.mirror.state import Contracts
from onchain_exec.venues.perpetuals.perp_v2.mirror.swap import Swap


@dataclass(frozen=True, slots=True)
class Sender:
    """Who acts, and until when (unix seconds) a trade may be mined. ``referral`` is 32 bytes."""

    owner: Address
    deadline_at: int
    referral: bytes = bytes(32)


def encode_open(contracts: Contracts, sender: Sender, base_token: Address, wish: Swap, bound: int) -> Call:
    """Return ``ClearingHouse.openPosition``; ``bound`` limits the side that ``wish`` does not fix.

    Quote includes the fee. 0 accepts any price.
    """
    terms = (base_token, wish.sells, wish.exact is Exact.IN, wish.amount, bound, sender.deadline_at)
    data = abi.OPEN_POSITION.encode((*terms, wish.limit_x96, sender.referral))
    return Call(contracts.clearing_house, data, sender=sender.owner)


def encode_close(
    contracts: Contracts, sender: Sender, base_token: Address, bound: int, limit_x96: int = 0
) -> Call:
    """Return ``ClearingHouse.closePosition``; ``bound`` is of quote: least for a long, most for a short."""
    data = abi.CLOSE_POSITION.encode((base_token, limit_x96, bound, sender.deadline_at, sender.referral))
    return Call(contracts.clearing_house, data, sender=sender.owner)


def encode_add_liquidity(
    contracts: Contracts,
    sender: Sender,
    base_token: Address,
    where: Range,
    amounts: tuple[int, int],
    at_least: tuple[int, int] = (0, 0),
) -> Call:
    """Return ``ClearingHouse.addLiquidity`` of at most ``amounts`` of base and quote."""
    data = abi.ADD_LIQUIDITY.encode((base_token, *amounts, *where, *at_least, False, sender.deadline_at))
    return Call(contracts.clearing_house, data, sender=sender.owner)


def encode_remove_liquidity(
    contracts: Contracts,
    sender: Sender,
    base_token: Address,
    where: Range,
    liquidity: int,
    at_least: tuple[int, int] = (0, 0),
) -> Call:
    """Return ``ClearingHouse.removeLiquidity``; no liquidity collects the fees."""
    data = abi.REMOVE_LIQUIDITY.encode((base_token, *where, liquidity, *at_least, sender.deadline_at))
    return Call(contracts.clearing_house, data, sender=sender.owner)


def encode_liquidate(
    contracts: Contracts, liquidator: Address, owner: Address, base_token: Address, size: int = 0
) -> Call:
    """Return ``ClearingHouse.liquidate`` of up to ``size`` (signed as the position; 0: the most)."""
    return Call(contracts.clearing_house, abi.LIQUIDATE.encode(owner, base_token, size), sender=liquidator)


def encode_cancel_orders(contracts: Contracts, sender: Address, maker: Address, base_token: Address) -> Call:
    """Return ``ClearingHouse.cancelAllExcessOrders`` of a maker who is short of margin."""
    data = abi.CANCEL_ALL_EXCESS_ORDERS.encode(maker, base_token)
    return Call(contracts.clearing_house, data, sender=sender)


def encode_deposit(contracts: Contracts, owner: Address, token: Address, amount: int) -> Call:
    """Return ``Vault.deposit`` of base units, which the vault must be allowed to take."""
    return Call(contracts.vault, abi.DEPOSIT.encode(token, amount), sender=owner)


def encode_withdraw(contracts: Contracts, owner: Address, token: Address, amount: int) -> Call:
    """Return ``Vault.withdraw`` of base units."""
    return Call(contracts.vault, abi.WITHDRAW.encode(token, amount), sender=owner)


def encode_liquidate_collateral(
    contracts: Contracts, liquidator: Address, owner: Address, token: Address, amount: int
) -> Call:
    """Return ``Vault.liquidateCollateral`` of base units of a collateral, paid in the settlement token."""
    data = abi.LIQUIDATE_COLLATERAL.encode(owner, token, amount, False)
    return Call(contracts.vault, data, sender=liquidator)
