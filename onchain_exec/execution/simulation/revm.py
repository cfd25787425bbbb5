"""What pyrevm, an EVM in this process, says, as our types."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Final

from onchain_exec.chain import CallResult, decode_revert
from onchain_exec.core import Log, to_address
from onchain_exec.core.abi import CustomError
from onchain_exec.errors import MissingToolError, RevertError

if TYPE_CHECKING:
    import pyrevm

HARDFORK: Final = "PRAGUE"
_REVERT: Final = re.compile(r"Revert \{ gas_used: (\d+), output: 0x([0-9a-f]*) \}")
_HALT: Final = re.compile(r"Halt \{ reason: (\w+).*gas_used: (\d+)")
_ACCOUNT: Final = re.compile(r"0x([0-9a-f]{40}): Account \{")
_SLOT: Final = re.compile(r"(\d+): StorageSlot \{ previous_or_original_value: (\d+), present_value: (\d+)")


def load_pyrevm() -> ModuleType:
    """Return the module, which is not among what this package demands.

    Raises:
        MissingToolError: it is not installed.
    """
    try:
        import pyrevm  # noqa: PLC0415 - an extra: only who runs an EVM in this process needs it
    except ImportError as error:
        raise MissingToolError("pyrevm is not installed", todo="Run: pip install pyrevm") from error
    return pyrevm


def decode_failure(error: RuntimeError, errors: Iterable[CustomError] = ()) -> CallResult | None:
    """Return what a failed call came to: a revert with its decoded error, a halt (an old ``assert``, no
    gas, a bad opcode) with its reason as the error's name; None where it did not run at all."""
    text = str(error)
    if revert := _REVERT.match(text):
        data = bytes.fromhex(revert[2])
        return CallResult(int(revert[1]), data, (), decode_revert(data, errors))
    if halt := _HALT.match(text):
        return CallResult(int(halt[2]), b"", (), RevertError(halt[1], (), b""))
    return None


def decode_logs(result: pyrevm.ExecutionResult | None) -> tuple[Log, ...]:
    """Return the events of a call."""
    return tuple(_decode_log(log, index) for index, log in enumerate(result.logs if result else ()))


def find_changed_slots(journal: str) -> Iterator[tuple[str, int, int]]:
    """Yield (address, slot, value) of the storage that ``EVM.journal_str`` tells to have been written.

    It is the text of revm's own state; pyrevm has no other way to list it.
    """
    state, _, _ = journal.partition("}, transient_storage: {")
    heads = [*_ACCOUNT.finditer(state)]
    ends = [*(head.start() for head in heads[1:]), len(state)]
    for head, end in zip(heads, ends, strict=True):
        for slot, before, after in _SLOT.findall(state, head.end(), end):
            if before != after:
                yield "0x" + head[1], int(slot), int(after)


def _decode_log(log: pyrevm.Log, index: int) -> Log:
    topics, data = log.data
    return Log(to_address(log.address), tuple(bytes(topic) for topic in topics), bytes(data), index)
