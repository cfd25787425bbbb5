"""A process's use of a journal file, visible to the other processes for as long as it lives."""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path

from onchain_exec.core import Address
from onchain_exec.errors import FencedError
from onchain_exec.oms.book.views import SlotView


class Session:
    """A locked file beside the journal. The kernel unlocks it when the process ends in any way.

    The locks are advisory and of one machine, as SQLite's own: keep the journal on a local disk.
    Several living processes may take nonces of one account, each its own.
    """

    def __init__(self, journal: Path) -> None:
        self.name = secrets.token_hex(8)
        self._journal = journal
        self._descriptor = os.open(self._get_path(self.name), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        self._turns: dict[tuple[int, Address], int] = {}

    def take(self, chain_id: int, account: Address) -> str:
        """Return the session's name: no process of the machine keeps others off an account."""
        return self.name

    def hold(self, chain_id: int, contract: Address) -> None:
        """The turn is a lock that the kernel gives back with the process."""
        if (chain_id, contract) in self._turns:
            return
        path = self._journal.with_name(f"{self._journal.name}.{chain_id}.{contract}.turn")
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise FencedError(
                f"another process of this machine settles the book of {contract}",
                needed="one solver of a book at a time",
                todo="Leave it to that process, or end it",
            ) from error
        self._turns[chain_id, contract] = descriptor

    def is_live(self, slot: SlotView) -> bool:
        """Return whether the process that reserved the slot still runs; clear a dead one's file away."""
        if slot.session == self.name:
            return True
        try:
            descriptor = os.open(self._get_path(slot.session), os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        else:
            self._get_path(slot.session).unlink(missing_ok=True)
            return False
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """End the session: what it reserved and did not sign becomes free."""
        self._get_path(self.name).unlink(missing_ok=True)
        for descriptor in (self._descriptor, *self._turns.values()):
            os.close(descriptor)

    def _get_path(self, name: str) -> Path:
        return self._journal.with_name(f"{self._journal.name}.{name}.session")
