"""What traders and keepers send to the ``PerpsMarketProxy``, and how its ids are named as addresses."""

from __future__ import annotations

from typing import Final

from onchain_exec.core import ZERO_ADDRESS, Address, Call, to_address
from onchain_exec.venues.perpetuals.synthetix_v3 import contracts as abi
from onchain_exec.venues.perpetuals.synthetix_v3.mirror.state import Order

USD: Final = 0
"""The id of snxUSD as a collateral."""


def get_market_address(market: int) -> Address:
    """Return a market's id as the address that names it where venues name markets by address."""
    return to_address(market.to_bytes(20))


def get_market_id(market: Address) -> int:
    """Return the id that an address of `get_market_address` names."""
    return int(market, 16)


def encode_create_account(proxy: Address, owner: Address, account: int) -> Call:
    """Return ``createAccount``: an id of one's own choice that nobody has yet."""
    return Call(proxy, abi.CREATE_ACCOUNT.encode(account), sender=owner)


def encode_modify_collateral(proxy: Address, owner: Address, account: int, amount: int) -> Call:
    """Return ``modifyCollateral`` of snxUSD in 1e18, out of the account below 0."""
    return Call(proxy, abi.MODIFY_COLLATERAL.encode(account, USD, amount), sender=owner)


def encode_pay_debt(proxy: Address, owner: Address, account: int, amount: int) -> Call:
    """Return ``payDebt`` in snxUSD of 1e18: an account with debt can take nothing out."""
    return Call(proxy, abi.PAY_DEBT.encode(account, amount), sender=owner)


def encode_commit(
    proxy: Address, owner: Address, account: int, order: Order, tracking_code: bytes = bytes(32)
) -> Call:
    """Return ``commitOrder``. The order's time is the chain's; no referrer is paid."""
    request = (
        order.market, account, order.size, order.strategy_id, order.acceptable_price, tracking_code,
        ZERO_ADDRESS,
    )  # fmt: skip
    return Call(proxy, abi.COMMIT_ORDER.encode(request), sender=owner)


def encode_settle(proxy: Address, keeper: Address, account: int) -> Call:
    """Return ``settleOrder``, for which a keeper is paid. It needs the oracle's price of the order's time on
    chain: see ERC-7412."""
    return Call(proxy, abi.SETTLE_ORDER.encode(account), sender=keeper)


def encode_cancel(proxy: Address, sender: Address, account: int) -> Call:
    """Return ``cancelOrder``, which anybody may send where the order cannot be settled at its price."""
    return Call(proxy, abi.CANCEL_ORDER.encode(account), sender=sender)


def encode_liquidate(proxy: Address, liquidator: Address, account: int) -> Call:
    """Return ``liquidate``, for which the liquidator is paid."""
    return Call(proxy, abi.LIQUIDATE.encode(account), sender=liquidator)


def encode_liquidate_margin(proxy: Address, liquidator: Address, account: int) -> Call:
    """Return ``liquidateMarginOnly``, for an account that has debt and no positions any more."""
    return Call(proxy, abi.LIQUIDATE_MARGIN.encode(account), sender=liquidator)
