"""Owners with keys who hold two plain tokens, on a chain with today's rules, and gas by receipts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from coincurve import PrivateKey

from onchain_exec.app.sandbox.chain_evm import ChainEvm
from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.chain import LocalChain
from onchain_exec.core import Address, to_address
from onchain_exec.core.abi import Function
from onchain_exec.core.artifact import get_artifact
from onchain_exec.core.ecdsa import get_key_address

UNIT: Final = 10**18 + 12_345
"""What an order sells: no round number, since zero bytes of calldata are cheaper."""
MATCHER: Final = to_address("0x70997970C51812dc3A010C7d01b50e0d17dc79C8")
_RICH: Final = 10**27
_MINT: Final = Function("mint(address,uint256)")
_APPROVE: Final = Function("approve(address,uint256)")


@dataclass(frozen=True)
class Parties:
    """Two tokens in ascending order, and owners by their keys. All storage that a settlement changes was
    not zero before: that is the steady state which is compared."""

    chain: LocalChain
    evm: ChainEvm
    tokens: tuple[Address, Address]
    keys: dict[Address, PrivateKey]

    @property
    def owners(self) -> list[Address]:
        return list(self.keys)

    def allow(self, spender: Address) -> None:
        """Let a contract take everyone's tokens."""
        for account in (*self.keys, MATCHER):
            for token in self.tokens:
                self.evm.call(account, token, _APPROVE.encode(spender, 2**256 - 1))

    def give(self, account: Address, amount: int) -> None:
        for token in self.tokens:
            self.evm.call(DEPLOYER, token, _MINT.encode(account, amount))

    def gas(self, to: Address, data: bytes, sender: Address = MATCHER) -> int:
        """Mine a call alone in its block, and return its receipt's gas."""
        call = {"from": sender, "to": to, "data": f"0x{data.hex()}", "gas": hex(1 << 24)}
        receipt = self.chain.request("eth_sendTransactionSync", call)
        if receipt["status"] != "0x1":
            self.evm.static_call(to, data, sender)  # raises what it reverts with
        return int(receipt["gasUsed"], 16)


@contextmanager
def gather(count: int) -> Iterator[Parties]:
    """Start the chain with ``count`` owners."""
    with LocalChain.start(hardfork="osaka", extra=("--auto-impersonate",)) as chain:
        evm = ChainEvm(chain)
        code = get_artifact("PlainToken").bytecode
        first, second = sorted((evm.deploy(code), evm.deploy(code)), key=str.lower)
        keys = {}
        for number in range(count):
            key = PrivateKey((number + 1).to_bytes(32))
            keys[get_key_address(key.public_key.format(compressed=False))] = key
        parties = Parties(chain, evm, (first, second), keys)
        for account in (*keys, MATCHER):
            evm.set_balance(account, 10**21)
            parties.give(account, _RICH)
        yield parties
