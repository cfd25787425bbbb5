"""A trade held back until another transaction has gone before it, in the same block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from onchain_exec import Desk, LocalSigner
from onchain_exec.app.path.context import Policy
from onchain_exec.app.sandbox.sandbox import Sandbox
from onchain_exec.chain import DevAccount, LocalChain
from onchain_exec.core import Address


@contextmanager
def impatient(sandbox: Sandbox, signer: DevAccount, journal: Path) -> Iterator[Desk]:
    """A desk that does not wait, on a chain that mines when it is told to."""
    sandbox.chain.request("evm_setAutomine", False)
    with Desk.connect(
        sandbox.url,
        signer=LocalSigner(signer.key),
        journal=journal,
        policy=Policy(confirm_timeout_s=0.0),
        profile=sandbox.profile,
    ) as desk:
        yield desk
    sandbox.chain.request("evm_setAutomine", True)


def overtake(chain: LocalChain, sender: Address, to: Address, data: bytes) -> None:
    """Send at the highest tip: it is the next block's first transaction."""
    fees = {"maxFeePerGas": hex(10**12), "maxPriorityFeePerGas": hex(10**11)}
    chain.request(
        "eth_sendTransaction",
        {"from": sender, "to": to, "data": "0x" + data.hex(), "gas": hex(5_000_000), **fees},
    )
