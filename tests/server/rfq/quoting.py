"""What a taker and makers say to a server with a book."""

from __future__ import annotations

from typing import Any

from app.signed_book.settle_chain import USDC, WETH, SettleChain
from server.signed_server import BookServed

from onchain_exec.app.sandbox.erc20 import get_balance
from onchain_exec.clearing.settle import SettleOrder, Signed
from onchain_exec.core import Address, Token


def ask(served: BookServed, request_id: str, **terms: Any) -> dict[str, Any]:
    """Ask for what 1 WETH brings, unless told otherwise."""
    wish = {"client_order_id": request_id, "sell": "WETH", "buy": "USDC", "amount": "1"} | terms
    asked = served.desk.post("/rfq", json=wish)
    assert asked.status_code == 201, asked.text
    return asked.json()


def answer(
    chain: SettleChain, maker: int = 0, usdc: int = 2_000, weth: int = WETH, **terms: Any
) -> SettleOrder:
    """Return a maker's order that pays so many USDC for ether."""
    pair = {"token_in": chain.usdc.address, "token_out": chain.weth.address}
    return chain.order(maker=maker, **(pair | {"amount_in": usdc * USDC, "amount_out": weth} | terms))


def quote(served: BookServed, request_id: str, order: SettleOrder, signed: Signed | None = None) -> Any:
    return served.maker.post(f"/book/requests/{request_id}/quotes", json=served.body(order, signed))


def take(served: BookServed, request_id: str, digest: str | None = None) -> Any:
    return served.desk.post(f"/rfq/{request_id}/take", json={} if digest is None else {"digest": digest})


def held(chain: SettleChain, account: Address) -> dict[Token, int]:
    return {token: get_balance(chain.evm, token, account) for token in (chain.weth, chain.usdc)}
