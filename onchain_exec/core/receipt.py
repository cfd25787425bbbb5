"""What the chain says of a mined transaction."""

from __future__ import annotations

from dataclasses import dataclass

from onchain_exec.core.address import Address
from onchain_exec.core.log import Log


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt whose block hash was canonical when it was read; made by `chain` only.

    Amounts in wei; ``l1_fee_wei`` is the data fee that some rollups charge besides gas.
    """

    tx_hash: str
    block_number: int
    block_hash: str
    success: bool
    gas_used: int
    effective_gas_price_wei: int
    l1_fee_wei: int
    sender: Address
    to: Address | None
    logs: tuple[Log, ...]

    @property
    def cost_wei(self) -> int:
        """What the sender paid for inclusion."""
        return self.gas_used * self.effective_gas_price_wei + self.l1_fee_wei
