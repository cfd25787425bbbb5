"""Orders of GMX v2 as calldata: what they need is sent to the vault and they are created in one multicall.

A keeper executes them later, at its oracle's prices, or cancels them and gives back what was sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from onchain_exec.core import ZERO_ADDRESS, Address, Call
from onchain_exec.core.abi import Function
from onchain_exec.errors import InputError

_ORDER: Final = (
    "(address,address,address,address,address,address,address[]),"
    "(uint256,uint256,uint256,uint256,uint256,uint256,uint256,uint256),"
    "uint8,uint8,bool,bool,bool,bytes32,bytes32[]"
)
_MULTICALL: Final = Function("multicall(bytes[])", "(bytes[])")
_SEND_WNT: Final = Function("sendWnt(address,uint256)")
_SEND_TOKENS: Final = Function("sendTokens(address,address,uint256)")
_CREATE_ORDER: Final = Function(f"createOrder(({_ORDER}))", "(bytes32)")
_CANCEL_ORDER: Final = Function("cancelOrder(bytes32)")
_UPDATE_ORDER: Final = Function("updateOrder(bytes32,uint256,uint256,uint256,uint256,uint256,bool)")


class OrderType(Enum):
    """What an order does, and when (``Order.OrderType``)."""

    MARKET_SWAP = 0
    LIMIT_SWAP = 1
    MARKET_INCREASE = 2
    LIMIT_INCREASE = 3
    MARKET_DECREASE = 4
    LIMIT_DECREASE = 5
    STOP_LOSS_DECREASE = 6
    STOP_INCREASE = 8


class DecreaseSwap(Enum):
    """What a decrease swaps before it pays (``Order.DecreasePositionSwapType``)."""

    NONE = 0
    PROFIT_TO_COLLATERAL = 1
    COLLATERAL_TO_PROFIT = 2


SWAPS: Final = {OrderType.MARKET_SWAP, OrderType.LIMIT_SWAP}
MARKET_ORDERS: Final = {OrderType.MARKET_SWAP, OrderType.MARKET_INCREASE, OrderType.MARKET_DECREASE}
DECREASES: Final = {OrderType.MARKET_DECREASE, OrderType.LIMIT_DECREASE, OrderType.STOP_LOSS_DECREASE}


@dataclass(frozen=True, slots=True)
class GmxContracts:
    """Where a chain's GMX stands. Tokens are allowed to ``router``, and orders go to ``exchange_router``."""

    exchange_router: Address
    order_vault: Address
    router: Address
    data_store: Address
    referral_storage: Address
    event_emitter: Address


@dataclass(frozen=True, slots=True)
class Position:
    """Which position an order is about. Of a swap, the market is the zero address."""

    market: Address
    collateral_token: Address
    is_long: bool


@dataclass(frozen=True, slots=True)
class Terms:
    """What an order accepts. Prices are in 1e30 over the index token's decimals; ``minimum_output`` in base
    units or, of a decrease, dollars of 1e30. An order is good from ``valid_from_at`` on."""

    acceptable_price: int
    trigger_price: int = 0
    minimum_output: int = 0
    valid_from_at: int = 0


@dataclass(frozen=True, slots=True)
class GmxOrder:
    """An order. ``size_delta_usd`` is in 1e30; ``collateral_amount`` base units put in or taken out;
    ``execution_fee_wei`` pays the keeper, what is left over comes back.

    With ``pays_native`` the native coin is sent instead of its wrapped token; with ``unwraps_native`` what
    comes back, if it is that token, comes as the coin.
    """

    kind: OrderType
    position: Position
    size_delta_usd: int
    collateral_amount: int
    execution_fee_wei: int
    terms: Terms
    swap_path: tuple[Address, ...] = ()
    pays_native: bool = False
    unwraps_native: bool = False
    decrease_swap: DecreaseSwap = DecreaseSwap.NONE
    auto_cancel: bool = False
    ui_fee_receiver: Address = ZERO_ADDRESS
    referral: bytes = bytes(32)


@dataclass(frozen=True, slots=True)
class Request:
    """An order that waits for a keeper. A frozen one failed, and waits to be tried again or updated."""

    key: bytes
    order: GmxOrder
    updated_at: int
    is_frozen: bool = False


def encode_create_order(contracts: GmxContracts, owner: Address, order: GmxOrder) -> Call:
    """Return the multicall that pays for an order and creates it, with the value that it needs.

    Raises:
        InputError: no execution fee, or an acceptable price of 0 for a long that is opened or a short that
            is closed, which no price can meet.
    """
    _require_executable(order)
    vault, native = contracts.order_vault, order.execution_fee_wei
    calls = []
    if order.kind not in DECREASES and order.collateral_amount:
        if order.pays_native:
            native += order.collateral_amount
        else:
            token = order.position.collateral_token
            calls.append(_SEND_TOKENS.encode(token, vault, order.collateral_amount))
    calls = [_SEND_WNT.encode(vault, native), *calls, _CREATE_ORDER.encode(_to_tuple(owner, order))]
    return Call(contracts.exchange_router, _MULTICALL.encode(calls), native, owner)


def encode_cancel_order(contracts: GmxContracts, owner: Address, key: bytes) -> Call:
    """Return the multicall that cancels an order by its key; GMX lets it once some time has passed."""
    return Call(contracts.exchange_router, _MULTICALL.encode([_CANCEL_ORDER.encode(key)]), sender=owner)


def encode_update_order(contracts: GmxContracts, owner: Address, request: Request) -> Call:
    """Return the multicall that gives a waiting order the size, the terms and the automatic cancellation of
    ``request``, and thaws it; market orders cannot be updated.

    Raises:
        InputError: it is a market order.
    """
    order = request.order
    if order.kind in MARKET_ORDERS:
        raise InputError("an update of a market order", needed="a limit or stop order", todo="Cancel it")
    terms = order.terms
    prices = (terms.acceptable_price, terms.trigger_price, terms.minimum_output, terms.valid_from_at)
    call = _UPDATE_ORDER.encode(request.key, order.size_delta_usd, *prices, order.auto_cancel)
    return Call(contracts.exchange_router, _MULTICALL.encode([call]), sender=owner)


def _to_tuple(owner: Address, order: GmxOrder) -> tuple[object, ...]:
    """Mirror of ``IBaseOrderUtils.CreateOrderParams``."""
    position, terms = order.position, order.terms
    addresses = (
        owner,
        ZERO_ADDRESS,
        ZERO_ADDRESS,
        order.ui_fee_receiver,
        position.market,
        position.collateral_token,
        order.swap_path,
    )
    numbers = (
        order.size_delta_usd,
        order.collateral_amount,
        terms.trigger_price,
        terms.acceptable_price,
        order.execution_fee_wei,
        0,
        terms.minimum_output,
        terms.valid_from_at,
    )
    flags = (position.is_long, order.unwraps_native, order.auto_cancel)
    return (addresses, numbers, order.kind.value, order.decrease_swap.value, *flags, order.referral, ())


def _require_executable(order: GmxOrder) -> None:
    if order.execution_fee_wei <= 0:
        raise InputError(
            f"an execution fee of {order.execution_fee_wei} wei", needed="what a keeper's gas costs"
        )
    buys = order.position.is_long == (order.kind not in DECREASES)
    if order.kind not in SWAPS and buys and not order.terms.acceptable_price:
        raise InputError(
            "an acceptable price of 0 for an order that buys", needed="the highest price to buy at"
        )
