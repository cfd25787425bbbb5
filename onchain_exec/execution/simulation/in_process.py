"""Plans run in this process, on the state of their block as a node tells it slot by slot."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, TypeVar

from onchain_exec.chain import CallResult, Node, TxCall
from onchain_exec.core import Address, BlockRef, to_address
from onchain_exec.errors import InputError, NodeUnreachableError
from onchain_exec.execution.costs.gas import GasRules, get_floor_gas
from onchain_exec.execution.plan import TxPlan
from onchain_exec.execution.simulation.effects import decode_holdings, get_holding_calls
from onchain_exec.execution.simulation.revm import (
    HARDFORK,
    decode_failure,
    decode_logs,
    find_changed_slots,
    load_pyrevm,
)
from onchain_exec.execution.simulation.runs import BLOCKS_AHEAD, Run, require_success

if TYPE_CHECKING:
    import pyrevm

T = TypeVar("T")
_PLENTY_WEI: Final = 1 << 128
_READ_GAS: Final = 30_000_000
_COLD_ACCOUNT_GAS: Final = 2_500
"""What a transaction pays more for an account that it is the first to touch (EIP-2929: 2,600 instead of
100): to pyrevm one whose storage was written before it is warm."""


@dataclass(frozen=True, slots=True)
class InProcessRunner:
    """Runs in this process: revm (``pip install pyrevm``) over the node's state, fetched where it is
    touched, at the plan's block by its hash.

    What a second engine finds is worth most where it differs from the node's. It costs a request for
    each account and slot that is touched, and nothing else of this process runs meanwhile (pyrevm keeps
    the interpreter's lock): the node should be near, and must be of another process. A pool gives the
    HTTP endpoints that have the block, and the next one is taken where one fails. It traces no inner
    calls, and logs no moves of native coin. Dependencies hand on what they write to storage, as
    approvals do, and no contracts they create.
    """

    node: Node
    rules: GasRules = field(default_factory=GasRules)

    async def run(self, plan: TxPlan, limits: Sequence[int]) -> list[Run]:
        """See `Runner.run`.

        Raises:
            NodeUnreachableError: no HTTP endpoint tells the state.
            MissingToolError: pyrevm is not installed.
        """

        async def run_ahead(url: str) -> list[Run]:
            return await asyncio.gather(
                *(asyncio.to_thread(self._run, url, plan, limits, ahead) for ahead in BLOCKS_AHEAD)
            )

        return await self._ask_first(plan.block, run_ahead)

    async def try_out(self, calls: Sequence[TxCall], block: BlockRef) -> tuple[CallResult, ...]:
        """Return what transactions do one after another in the block after ``block``, whatever their nonces
        and whether or not their senders can pay; raises as `run` does."""
        return await self._ask_first(block, lambda url: asyncio.to_thread(self._try_out, url, calls, block))

    async def _ask_first(self, block: BlockRef, ask: Callable[[str], Awaitable[T]]) -> T:
        """Return what comes of the first endpoint that tells the state."""
        failure = NodeUnreachableError("no endpoint is reached by HTTP", needed="one for revm to read from")
        for url in await self.node.find_urls(block):
            try:
                return await ask(url)
            except NodeUnreachableError as error:
                failure = error
        raise failure

    async def has_starved_calls(self, plan: TxPlan, limit: int, plenty: int) -> bool | None:
        """See `Runner.has_starved_calls`: it cannot be told, so that the comparison of runs decides."""
        return None

    def _run(self, url: str, plan: TxPlan, limits: Sequence[int], ahead: int) -> Run:
        with _failures_mapped():
            return self._run_on_fork(_Fork(self, url, plan.block, ahead), plan, limits)

    def _try_out(self, url: str, calls: Sequence[TxCall], block: BlockRef) -> tuple[CallResult, ...]:
        with _failures_mapped():
            fork = _Fork(self, url, block, 1)
            return tuple(fork.transact(call) for call in calls)

    def _run_on_fork(self, fork: _Fork, plan: TxPlan, limits: Sequence[int]) -> Run:
        if plan.to == plan.sender and plan.data:
            raise InputError(
                "an account that calls itself by code that it lent itself (EIP-7702)",
                needed="a plan of an account without code",
                todo="Simulate it on the node",
            )
        results = []
        for tx, limit in zip((*plan.depends_on, plan), limits, strict=True):
            results.append(fork.transact(tx.at_limit(limit)))
        answers = fork.read([TxCall(plan.sender, call.to, call.data) for call in get_holding_calls(plan)])
        require_success(answers)
        return Run(tuple(results), decode_holdings([answer.data for answer in answers]))


@contextmanager
def _failures_mapped() -> Iterator[None]:
    """Map pyrevm's only exception; what a transaction does is a result."""
    try:
        yield
    except RuntimeError as error:
        if not str(error).startswith("Database("):
            raise InputError(f"no chain would take this transaction: {error}") from error
        raise NodeUnreachableError(
            "the state of the block could not be fetched for the simulation in this process",
            needed="an HTTP node that tells accounts and storage at a block's hash",
            todo="Check the URL; for old blocks use an archive node",
        ) from error


class _Fork:
    """A block on top of the chain's, ``ahead`` of it, and what its transactions have written so far.

    Each transaction gets an EVM of its own: pyrevm's keeps its slots warm from one to the next.
    """

    def __init__(self, runner: InProcessRunner, url: str, block: BlockRef, ahead: int) -> None:
        self._runner, self._url, self._block, self._ahead = runner, url, block, ahead
        self._written: dict[tuple[Address, int], int] = {}

    def transact(self, tx: TxCall) -> CallResult:
        """Run a transaction whose sender can pay for it; its writes stay if it succeeds."""
        evm = self._open()
        evm.set_balance(tx.sender, _PLENTY_WEI)
        result = self._call(evm, tx)
        preloaded = {address for address, _ in self._written} - {tx.to}
        if result.success:
            for address, slot, value in find_changed_slots(evm.journal_str):
                self._written[to_address(address), slot] = value
        # EIP-7623 is newer than pyrevm's engine
        gas_used = max(result.gas_used + _COLD_ACCOUNT_GAS * len(preloaded), get_floor_gas(tx.data))
        return replace(result, gas_used=gas_used)

    def read(self, calls: Sequence[TxCall]) -> list[CallResult]:
        """Return what calls that change nothing answer."""
        evm = self._open()
        return [self._call(evm, call) for call in calls]

    def _call(self, evm: pyrevm.EVM, tx: TxCall) -> CallResult:
        if tx.to is None:
            raise InputError("a creation of a contract", needed="a call")
        price = min(tx.max_fee_wei or 0, self._block.base_fee_wei + (tx.max_priority_fee_wei or 0))
        try:
            data = evm.message_call(
                tx.sender,
                tx.to,
                calldata=tx.data,
                value=tx.value_wei,
                gas=tx.gas_limit or _READ_GAS,
                gas_price=price,
            )
        except RuntimeError as error:
            failed = decode_failure(error, self._runner.node.errors)
            if failed is None:
                raise
            return failed
        gas_used = evm.result.gas_used if evm.result else 0
        return CallResult(gas_used, bytes(data), decode_logs(evm.result), None)

    def _open(self) -> pyrevm.EVM:
        module, block = load_pyrevm(), self._block
        header = module.BlockEnv(
            number=block.number + self._ahead,
            timestamp=block.timestamp + self._ahead * self._runner.rules.block_time_s,
            basefee=block.base_fee_wei,
            gas_limit=block.gas_limit,
        )
        evm: pyrevm.EVM = module.EVM(
            env=module.Env(cfg=module.CfgEnv(chain_id=block.chain_id), block=header),
            fork_url=self._url,
            fork_block=block.hash,
            spec_id=HARDFORK,
        )
        for (address, slot), value in self._written.items():
            evm.insert_account_storage(address, slot, value)
        return evm
