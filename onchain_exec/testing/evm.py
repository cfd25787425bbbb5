"""An EVM in this process: the real contracts at tens of thousands of calls per second.

It runs pyrevm (``pip install pyrevm``) and satisfies `onchain_exec.app.sandbox.evm.Evm`, so the
deployments of the sandbox work on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.core import Address, Log, to_address
from onchain_exec.errors import ConfigError, InputError, RevertError
from onchain_exec.execution.simulation.revm import HARDFORK, decode_failure, decode_logs, load_pyrevm

if TYPE_CHECKING:
    import pyrevm

ENDLESS_GAS = 2**63
"""A differential test compares answers: gas must not be what ends a call."""


class LocalEvm:
    """One chain state in memory, with the rules of the Prague hardfork. Gas costs no ether."""

    def __init__(
        self, chain_id: int = 1337, timestamp: int = 1_700_000_000, gas_limit: int = ENDLESS_GAS
    ) -> None:
        """Start with no contracts, at block 1. A call that uses up ``gas_limit`` halts.

        Raises:
            MissingToolError: pyrevm is not installed.
        """
        self._pyrevm = module = load_pyrevm()
        self._evm: pyrevm.EVM = module.EVM(
            env=module.Env(cfg=module.CfgEnv(chain_id=chain_id)), gas_limit=gas_limit, spec_id=HARDFORK
        )
        self._snapshots: list[pyrevm.JournalCheckpoint] = []
        self._block_number = 0
        self.timestamp = timestamp

    def deploy(self, creation_code: bytes, sender: Address = DEPLOYER) -> Address:
        """Create a contract; its address follows from ``sender`` and its nonce, as on chain.

        Raises:
            RevertError: the constructor reverts.
        """
        self._evm.reset_transient_storage()
        try:
            return to_address(self._evm.deploy(sender, creation_code))
        except RuntimeError as error:
            raise _to_error(error) from error

    def call(self, sender: Address, to: Address, data: bytes, value_wei: int = 0) -> bytes:
        """Return what the call returns, and keep its changes.

        Raises:
            RevertError: it reverts, decoded; or it halts (an old ``assert``, a bad opcode),
                with the halt's reason as ``name`` and no data.
            InputError: the sender has less than ``value_wei``.
        """
        self._evm.reset_transient_storage()
        try:
            return self._evm.message_call(sender, to, calldata=data, value=value_wei)
        except RuntimeError as error:
            raise _to_error(error) from error

    def static_call(self, to: Address, data: bytes, sender: Address = DEPLOYER) -> bytes:
        """Return what the call returns, and undo its changes (as ``eth_call`` does; so a contract may be the
        sender, too).

        Raises:
            RevertError: as of `call`.
        """
        account = self._evm.basic(sender)
        if account.code:  # EIP-3607 forbids it to transactions, and revm to all
            bare = self._pyrevm.AccountInfo(nonce=account.nonce, balance=account.balance)
            self._evm.insert_account_info(sender, bare)
        snapshot = self._evm.snapshot()
        try:
            return self.call(sender, to, data)
        finally:
            self._evm.revert(snapshot)
            if account.code:
                self._evm.insert_account_info(sender, account)

    def snapshot(self) -> int:
        """Return a mark that `revert` goes back to, once. Marks nest, up to 1,000 deep."""
        self._snapshots.append(self._evm.snapshot())
        return len(self._snapshots) - 1

    def revert(self, snapshot: int) -> None:
        """Undo all that happened since ``snapshot`` was taken; later marks are spent with it.

        Raises:
            ConfigError: the mark is spent, or none of this chain's.
        """
        if not 0 <= snapshot < len(self._snapshots):
            raise ConfigError(f"snapshot {snapshot} is spent", needed="a mark that was not reverted to yet")
        while len(self._snapshots) > snapshot:
            self._evm.revert(self._snapshots.pop())

    def set_balance(self, address: Address, balance_wei: int) -> None:
        """Give an account this much ether, whatever it had."""
        self._evm.set_balance(address, balance_wei)

    def get_balance(self, address: Address) -> int:
        """Return an account's ether in wei."""
        return self._evm.get_balance(address)

    def set_code(self, address: Address, runtime_code: bytes) -> None:
        """Put a contract at an address without running its constructor."""
        self._evm.insert_account_info(address, self._pyrevm.AccountInfo(nonce=1, code=runtime_code))

    def get_code(self, address: Address) -> bytes:
        """Return the contract that stands at an address; empty where there is none."""
        return self._evm.get_code(address) or b""

    @property
    def timestamp(self) -> int:
        """What contracts see as the time, in unix seconds. Setting it begins a new block."""
        return self._timestamp

    @timestamp.setter
    def timestamp(self, value: int) -> None:
        self._block_number, self._timestamp = self._block_number + 1, value
        self._evm.set_block_env(self._pyrevm.BlockEnv(number=self._block_number, timestamp=value))

    @property
    def gas_used(self) -> int:
        """The gas of the last call, with the 21,000 of a transaction."""
        result = self._evm.result
        return 0 if result is None else result.gas_used

    @property
    def logs(self) -> tuple[Log, ...]:
        """The events of the last call."""
        return decode_logs(self._evm.result)


def _to_error(error: RuntimeError) -> RevertError | InputError:
    failed = decode_failure(error)
    if failed is None or failed.error is None:
        return InputError(f"no chain would take this transaction: {error}")
    return failed.error
