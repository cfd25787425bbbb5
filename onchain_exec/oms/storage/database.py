"""What the store asks of a database, whichever it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from onchain_exec.core import Address
from onchain_exec.errors import JournalError
from onchain_exec.oms.book.views import SlotView
from onchain_exec.oms.storage.driver import Driver


class Leases(Protocol):
    """Who may sign for which account. Called within the store's transactions, from one thread at a time."""

    def take(self, chain_id: int, account: Address) -> str:
        """Take or keep the account's lease; return the token of this tenure of it.

        Raises:
            FencedError: another writer has it.
        """

    def hold(self, chain_id: int, contract: Address) -> None:
        """Take or keep the turn at a contract's book of orders.

        Raises:
            FencedError: another writer has it.
        """

    def is_live(self, slot: SlotView) -> bool:
        """Return whether whoever reserved the slot may still sign in it."""

    def close(self) -> None:
        """Give back what is held."""


class Database(Protocol):
    """Where a journal is. ``where`` names it for people, without secrets."""

    where: str

    def connect(self) -> Connection:
        """Return a connection; the database is made if it can be and is not there."""

    def lock_for_opening(self, connection: Connection) -> None:
        """Let the open transaction exclude every other one that makes or changes the tables."""

    def begin_writing(self, driver: Driver, *, survives_power_loss: bool) -> None:
        """Let the open transaction exclude every other writer as soon as it selects the head for update.

        Any commit survives the end of the process. One that need not survive power loss is not
        flushed by itself, but never outlived by a later one either.
        """

    def announce(self, driver: Driver, seq: int) -> None:
        """Wake the followers when the open transaction, which ends with line ``seq``, commits."""

    def open_bell(self) -> Bell:
        """Return what wakes a follower."""

    def open_leases(self, connection: Connection) -> Leases:
        """Return the leases of a new writer on the store's connection."""


class Bell(Protocol):
    """Rings when another line is committed; it may ring for nothing."""

    def wait(self, timeout_s: float) -> None:
        """Return when it rings, or after ``timeout_s``. It remembers a ring that nobody waited for."""

    def close(self) -> None:
        """Release it."""


@contextmanager
def journal_errors(where: str) -> Iterator[None]:
    """Turn what the database or file system says into JournalError."""
    try:
        yield
    except SQLAlchemyError as error:
        cause = str(getattr(error, "orig", None) or error).strip()
        raise JournalError(f"the journal {where} cannot be used: {cause}", todo=_get_advice(cause)) from error
    except OSError as error:
        raise JournalError(
            f"the journal {where} cannot be opened: {error.strerror}",
            todo="Choose a path you may write to, and copy there what is only to be read",
        ) from error


def _get_advice(cause: str) -> str:
    if "locked" in cause or "lock timeout" in cause:
        return "Another process holds it: wait, or end that process"
    if "not a database" in cause or "malformed" in cause:
        return "Choose another path, or restore the file from a copy; do not edit it"
    if "connection" in cause or "resolve host" in cause:
        return "Check the URL, and that the database server runs and lets this user in"
    return "Check the disk and the permissions"
