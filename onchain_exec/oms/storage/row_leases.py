"""One writer per account, over many hosts: a row with a fencing epoch.

Not a session's advisory lock: behind a transaction pooler that would protect nothing, and a host that
hangs would hold it for ever.
"""

from __future__ import annotations

import secrets

from sqlalchemy import ColumnElement, Connection, Float, Integer, cast, extract, func, select, update
from sqlalchemy.dialects.postgresql import insert

from onchain_exec.core import Address
from onchain_exec.errors import FencedError
from onchain_exec.oms.book.views import SlotView
from onchain_exec.oms.storage.schema import LEASES


class RowLeases:
    """The leases of one writer. Each use of one prolongs it by ``lease_s``.

    When a lease has ended, whoever asks first has the account, under the next epoch; what the one
    before reserved and did not sign is then free, and what it still wants to sign is refused.
    """

    def __init__(self, connection: Connection, lease_s: float) -> None:
        self._connection, self._lease_s = connection, lease_s
        self._owner = secrets.token_hex(8)
        self._tenures: dict[tuple[int, Address], str] = {}

    def take(self, chain_id: int, account: Address) -> str:
        """Return ``owner/epoch``; the row is written in the open transaction."""
        ends_at = _now() + self._lease_s
        first = insert(LEASES).values(
            chain_id=chain_id, account=account, owner=self._owner, epoch=1, ends_at=ends_at
        )
        mine = LEASES.c.owner == self._owner
        statement = first.on_conflict_do_update(
            index_elements=(LEASES.c.chain_id, LEASES.c.account),
            set_={
                "owner": self._owner,
                "epoch": LEASES.c.epoch + cast(~mine, Integer),
                "ends_at": ends_at,
            },
            where=mine | (LEASES.c.ends_at < _now()),
        ).returning(LEASES.c.epoch)
        epoch = self._connection.execute(statement).scalar_one_or_none()
        if epoch is None:
            raise FencedError(
                f"another process writes the account {account} of chain {chain_id}",
                needed="an account whose lease is free, or has ended",
                todo="Leave it to that process, or wait until its lease ends; do not send",
            )
        tenure = self._tenures[chain_id, account] = f"{self._owner}/{epoch}"
        return tenure

    def is_live(self, slot: SlotView) -> bool:
        """Return whether the slot was reserved in a tenure that has not ended.

        Slots of our own newest tenure count as live without a look: an account may have many.
        """
        if slot.session == self._tenures.get(slot.key[:2]):
            return True
        owner, epoch = slot.session.split("/")
        held = select(LEASES.c.owner).where(
            LEASES.c.chain_id == slot.key.chain_id,
            LEASES.c.account == slot.key.account,
            LEASES.c.owner == owner,
            LEASES.c.epoch == int(epoch),
            LEASES.c.ends_at >= _now(),
        )
        return self._connection.execute(held).first() is not None

    def close(self) -> None:
        """End the leases now."""
        with self._connection.begin():
            self._connection.execute(update(LEASES).where(LEASES.c.owner == self._owner).values(ends_at=0))


def _now() -> ColumnElement[float]:
    """The database's clock: not ``now()``, which stands still while a transaction waits for a lock."""
    return cast(extract("epoch", func.clock_timestamp()), Float(53))
