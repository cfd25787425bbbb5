"""A local chain as an `Evm`: every call is a mined transaction from an unlocked account."""

from __future__ import annotations

from typing import Any

from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.chain import LocalChain, decode_revert
from onchain_exec.core import Address, to_address
from onchain_exec.errors import NodeRefusedError, RevertError

_GAS_LIMIT = 1 << 24
"""What EIP-7825 allows one transaction. Named, so that the node need not estimate."""
_HALT = "EVM error "


class ChainEvm:
    """Sends from accounts that the node can sign for: its test accounts, on a fork any account."""

    def __init__(self, chain: LocalChain) -> None:
        self._chain = chain

    def deploy(self, creation_code: bytes, sender: Address = DEPLOYER) -> Address:
        """Create a contract and return where it stands. See `Evm.deploy`."""
        return to_address(self._mine({"from": sender, "data": _hex(creation_code)})["contractAddress"])

    def call(self, sender: Address, to: Address, data: bytes, value_wei: int = 0) -> None:
        """Mine a call. See `Evm.call`."""
        self._mine({"from": sender, "to": to, "data": _hex(data), "value": hex(value_wei)})

    def static_call(self, to: Address, data: bytes, sender: Address = DEPLOYER) -> bytes:
        """Return what a call answers at the newest block. See `Evm.static_call`."""
        return self._eth_call({"from": sender, "to": to, "data": _hex(data)}, "latest")

    def set_balance(self, address: Address, balance_wei: int) -> None:
        """Give an account this much ether, whatever it had."""
        self._chain.set_balance(address, balance_wei)

    def set_code(self, address: Address, runtime_code: bytes) -> None:
        """Put a contract at an address without running its constructor."""
        self._chain.set_code(address, runtime_code)

    def _mine(self, transaction: dict[str, str]) -> dict[str, Any]:
        receipt: dict[str, Any] = self._chain.request(
            "eth_sendTransactionSync", {**transaction, "gas": hex(_GAS_LIMIT)}
        )
        if receipt["status"] != "0x1":
            parent = hex(int(receipt["blockNumber"], 16) - 1)
            self._eth_call({**transaction, "gas": hex(_GAS_LIMIT)}, parent)
            raise RevertError("", (), b"", hint=f"It reverted in {receipt['transactionHash']} only")
        return receipt

    def _eth_call(self, call: dict[str, str], block: str) -> bytes:
        try:
            return bytes.fromhex(self._chain.request("eth_call", call, block)[2:])
        except NodeRefusedError as error:
            if isinstance(error.rpc_data, str):
                raise decode_revert(bytes.fromhex(error.rpc_data[2:])) from error
            if error.rpc_message.startswith(_HALT):
                raise RevertError(error.rpc_message.removeprefix(_HALT), (), b"") from error
            raise


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
