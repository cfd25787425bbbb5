"""The swap of an approved order while something is missing for its transactions, and what that is."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onchain_exec.execution.allowances.grant import Grant, Router
from onchain_exec.execution.building.swap import get_permit_message
from onchain_exec.execution.plan import Fees
from onchain_exec.execution.signers import Signature
from onchain_exec.risk import Approved


class Missing(enum.Enum):
    """What a draft lacks, in the order in which it is found."""

    FEES = "fees"
    GRANT = "grant"
    """How what is sold may be pulled."""
    SIGNATURE = "permit signature"
    """The owner's, of the grant's permit."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A plan on its way: `missing` says what it lacks, `prepare` finds that out, `fill` puts it in, and
    `build_plan` takes one that lacks nothing.

    Gas limit and nonce are not among it: these are the steps `simulate` and the journal's lease.
    """

    approved: Approved
    router: Router
    fees: Fees | None = None
    grant: Grant | None = None
    signature: Signature | None = None

    @property
    def missing(self) -> frozenset[Missing]:
        """What must be found before it can be built; empty: nothing."""
        lacking = set[Missing]()
        if self.fees is None:
            lacking.add(Missing.FEES)
        if self.grant is None:
            lacking.add(Missing.GRANT)
        elif self.grant.permit is not None and self.signature is None:
            lacking.add(Missing.SIGNATURE)
        return frozenset(lacking)

    @property
    def message(self) -> Mapping[str, Any] | None:
        """What the owner is to sign for the grant (EIP-712), or None."""
        return None if self.grant is None else get_permit_message(self.approved, self.router, self.grant)
