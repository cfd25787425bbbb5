"""What a deployment needs of a chain: the same code deploys to a node and to an in-process EVM."""

from __future__ import annotations

from typing import Protocol

from onchain_exec.core import Address, to_address

DEPLOYER = to_address("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266")
"""The first of the accounts that local chains fund and unlock."""


class Evm(Protocol):
    """A chain of one's own. Whatever reverts raises RevertError."""

    def deploy(self, creation_code: bytes, sender: Address = DEPLOYER) -> Address:
        """Create a contract and return where it stands. Constructor arguments follow the code."""
        ...

    def call(self, sender: Address, to: Address, data: bytes, value_wei: int = 0) -> object:
        """Make a call whose changes stay. What it returns, if anything, differs by chain."""
        ...

    def static_call(self, to: Address, data: bytes, sender: Address = DEPLOYER) -> bytes:
        """Return what a call answers; its changes, if it makes any, are undone."""
        ...

    def set_balance(self, address: Address, balance_wei: int) -> None:
        """Give an account this much ether, whatever it had."""
        ...

    def set_code(self, address: Address, runtime_code: bytes) -> None:
        """Put a contract at an address without running its constructor."""
        ...


def create_through(evm: Evm, factory: Address, data: bytes) -> Address:
    """Make the deployer's call of a factory and return the address it answers: asked, then done."""
    answer = evm.static_call(factory, data, DEPLOYER)
    evm.call(DEPLOYER, factory, data)
    return to_address(answer[-20:])
