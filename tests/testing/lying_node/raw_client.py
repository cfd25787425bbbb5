"""A client without any of our code: what the wire shows is what the test sees."""

from __future__ import annotations

import http.client
import json
import time
from dataclasses import dataclass
from typing import Any

from eth_account import Account

from onchain_exec.chain import LocalChain
from onchain_exec.testing.lying_node import LyingNode


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


def wait_for_reached(node: LyingNode, method: str) -> None:
    """Wait until the node behind has got a call: a client that gave up does not know when."""
    deadline = time.monotonic() + 60
    while not any(entry.reached for entry in node.transcript.of(method)):
        assert time.monotonic() < deadline, f"{method} reached nobody"
        time.sleep(0.01)


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
