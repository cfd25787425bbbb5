"""Whether a desk, and an order of it, can go out as an intent."""

from __future__ import annotations

from onchain_exec.app.path.context import Context
from onchain_exec.clearing.settle import Domain
from onchain_exec.core import ZERO_ADDRESS, Order
from onchain_exec.errors import ConfigError
from onchain_exec.execution import Capability
from onchain_exec.oms import SETTLE, list_paused_venues


def find_domain(context: Context) -> Domain | None:
    """Return what the chain's intents are signed for, or None where it lists no Settle contract."""
    contract = context.profile.get_contract("onchain_exec", "settle")
    return None if contract is None else Domain(context.node.chain_id, contract)


def find_obstacle(context: Context) -> str:
    """Return why the desk signs no intents, or nothing."""
    if context.intent_book is None:
        return "no book of signed orders (intent_book)"
    if find_domain(context) is None:
        return "the chain lists no Settle contract"
    if context.signer is None or Capability.TYPED_DATA not in context.signer.capabilities:
        return "the signer signs no messages"
    if SETTLE in list_paused_venues(context.journal.read_switches()):
        return "venue:settle is stopped"
    return ""


def find_order_obstacle(order: Order) -> str:
    """Return why an order is not to be signed as an intent, or nothing."""
    if ZERO_ADDRESS in (order.token_in.address, order.token_out.address):
        return "Settle moves no native coin"
    if order.conditions:
        return "Settle asks for no conditions"
    if order.recipient in (order.token_in.address, order.token_out.address):
        return "a book takes no order that pays a token's own contract"
    return ""


async def require_domain(context: Context) -> Domain:
    """Return what intents are signed for, once the book says the same.

    Raises:
        ConfigError: it serves another contract, or chain, than the profile names, or there is none.
        OrderBookError: it does not say.
    """
    domain, book = find_domain(context), context.intent_book
    if domain is None or book is None:
        raise ConfigError("intents are not possible here", needed=find_obstacle(context))
    told = await book.describe()
    if told != domain:
        raise ConfigError(
            f"the intent book is for {told.contract} on chain {told.chain_id}",
            needed=f"one for {domain.contract} on chain {domain.chain_id}, as the profile names it",
            todo="Check intent_book, and the chain's profile; nothing was signed",
        )
    return domain
