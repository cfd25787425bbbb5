"""A client without any of our code: what the wire shows is what the test sees."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any

from eth_account import Account

from onchain_exec.chain import LocalChain


@dataclass(frozen=True)
class Reply:
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def message(self) -> Any:
        return json.loads(self.body)

    @property
    def result(self) -> Any:
        return self.message["result"]

    @property
    def error(self) -> tuple[int, str]:
        error = self.message["error"]
        return error["code"], error["message"]


def post(port: int, message: Any, timeout_s: float = 20.0) -> Reply:
    """Post one message on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        connection.request("POST", "/", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return Reply(response.status, dict(response.headers), response.read())
    finally:
        connection.close()


def ask(port: int, method: str, *params: Any, timeout_s: float = 20.0) -> Reply:
    """Post one request."""
    return post(port, encode(method, *params), timeout_s)


def encode(method: str, *params: Any, request_id: Any = 1) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}


def sign(chain: LocalChain, account: int = 0, nonce: int = 0, **fields: Any) -> tuple[str, str]:
    """Return a signed transfer of one wei by a test account as raw hex, and its hash."""
    tx = {
        "type": 2,
        "chainId": chain.chain_id,
        "nonce": nonce,
        "to": chain.accounts[9].address,
        "value": 1,
        "gas": 21_000,
        "maxFeePerGas": 10**11,
        "maxPriorityFeePerGas": 10**9,
    }
    signed = Account.from_key(chain.accounts[account].key).sign_transaction(tx | fields)
    return "0x" + signed.raw_transaction.hex(), "0x" + signed.hash.hex()
