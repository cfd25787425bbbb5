"""Signed transfers of anvil's accounts, and where they stand on the chain."""

from __future__ import annotations

from eth_account import Account

from onchain_exec.chain import LocalChain

REVERTS = "0x" + "66" * 20
"""An account whose code reverts."""


def sign_transfer(chain: LocalChain, account: int, nonce: int, to: str = "0x" + "11" * 20) -> bytes:
    fields = {
        "type": 2,
        "chainId": 1337,
        "nonce": nonce,
        "to": to,
        "value": 1,
        "gas": 50_000,
        "maxFeePerGas": 10**10,
        "maxPriorityFeePerGas": 10**9,
    }
    return bytes(Account.sign_transaction(fields, chain.accounts[account].key)["raw_transaction"])


def get_mined(chain: LocalChain) -> list[str]:
    """Return the hashes in the newest block, in their order."""
    return list(chain.request("eth_getBlockByNumber", "latest", False)["transactions"])


def get_public(chain: LocalChain) -> set[str]:
    """Return the hashes in the public pool."""
    content = chain.request("txpool_content")
    return {tx["hash"] for kind in content.values() for account in kind.values() for tx in account.values()}
