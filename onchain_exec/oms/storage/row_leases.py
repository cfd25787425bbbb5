"""One writer per account, over many hosts: a row with a fencing epoch.

Not a session's advisory lock: behind a transaction pooler that would protect nothing, and a host that
hangs would hold it for ever.
"""

from __future__ import annotations

import secrets
from typing import Any, Final

from sqlalchemy import Connection, Float, Integer, Text, bindparam, cast, extract, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.dml import ReturningInsert

from onchain_exec.core import Address
from onchain_exec.errors import FencedError
from onchain_exec.oms.book.views import SlotView
from onchain_exec.oms.storage.driver import Driver, Statement
from onchain_exec.oms.storage.schema import LEASES

_NOW: Final = cast(extract("epoch", func.clock_timestamp()), Float(53))
"""The database's clock: not ``now()``, which stands still while a transaction waits for a lock."""


def _take() -> ReturningInsert[Any]:
    """Take a lease that is free, has ended or is the owner's, and answer its epoch; else answer nothing."""
    owner = bindparam("owner", type_=Text())
    ends_at = _NOW + bindparam("lease_s", type_=Float(53))
    is_mine = LEASES.c.owner == owner
    first = insert(LEASES).values(
        chain_id=bindparam("chain_id"), account=bindparam("account"), owner=owner, epoch=1, ends_at=ends_at
    )
    return first.on_conflict_do_update(
        index_elements=(LEASES.c.chain_id, LEASES.c.account),
        set_={"owner": owner, "epoch": LEASES.c.epoch + cast(~is_mine, Integer), "ends_at": ends_at},
        where=is_mine | (LEASES.c.ends_at < _NOW),
    ).returning(LEASES.c.epoch)


_TAKE: Final = Statement(_take())
_IS_HELD: Final = Statement(
    select(LEASES.c.owner).where(
        LEASES.c.chain_id == bindparam("chain_id"),
        LEASES.c.account == bindparam("account"),
        LEASES.c.owner == bindparam("owner"),
        LEASES.c.epoch == bindparam("epoch"),
        LEASES.c.ends_at >= _NOW,
    )
)
_END: Final = Statement(update(LEASES).where(LEASES.c.owner == bindparam("mine")).values(ends_at=0))


class RowLeases:
    """The leases of one writer. Each use of one prolongs it by ``lease_s``.

    When a lease has ended, whoever asks first has the account, under the next epoch; what the one
    before reserved and did not sign is then free, and what it still wants to sign is refused.
    """

    def __init__(self, connection: Connection, lease_s: float) -> None:
        self._connection, self._lease_s = connection, lease_s
        self._driver, self._owner = Driver(connection), secrets.token_hex(8)
        self._tenures: dict[tuple[int, Address], str] = {}

    def take(self, chain_id: int, account: Address) -> str:
        """Return ``owner/epoch``; the row is written in the open transaction."""
        row = self._driver.run(
            _TAKE, chain_id=chain_id, account=account, owner=self._owner, lease_s=self._lease_s
        ).fetchone()
        if row is None:
            raise FencedError(
                f"another process writes the account {account} of chain {chain_id}",
                needed="an account whose lease is free, or has ended",
                todo="Leave it to that process, or wait until its lease ends; do not send",
            )
        tenure = self._tenures[chain_id, account] = f"{self._owner}/{row[0]}"
        return tenure

    def hold(self, chain_id: int, contract: Address) -> None:
        """A book's turn is the lease of its contract, which signs nothing itself."""
        self.take(chain_id, contract)

    def is_live(self, slot: SlotView) -> bool:
        """Return whether the slot was reserved in a tenure that has not ended.

        Slots of our own newest tenure count as live without a look: an account may have many.
        """
        if slot.session == self._tenures.get(slot.key[:2]):
            return True
        chain_id, account, _ = slot.key
        owner, epoch = slot.session.split("/")
        found = self._driver.run(_IS_HELD, chain_id=chain_id, account=account, owner=owner, epoch=int(epoch))
        return found.fetchone() is not None

    def close(self) -> None:
        """End the leases now."""
        with self._connection.begin():
            self._driver.run(_END, mine=self._owner)
