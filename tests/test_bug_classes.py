"""The table of bug classes names tests that exist, and the contracts do without what it rules out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from onchain_exec.core.artifact import get_artifact

ROOT = Path(__file__).resolve().parent.parent
OURS = [
    path
    for path in sorted((ROOT / "contracts").rglob("*.sol"))
    if "mocks" not in path.parts and "venues" not in path.parts
]
RULED_OUT = r"\b(try|delegatecall|selfdestruct|callcode|tx\.origin|blockhash|prevrandao)\b"
PAYABLE = {"Guard.sol", "IGuard.sol", "Router.sol", "IRouter.sol", "Sequence.sol", "ISequence.sol"}
FIRST_SOUND_COMPILER = (0, 8, 34)
"""Since then transient storage is compiled as it is written (via IR)."""


def read_code(path: Path) -> str:
    return re.sub(r"//[^\n]*|/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)


def test_table_of_bug_classes_names_tests_that_exist() -> None:
    rows = re.findall(r"^\| .+ \| .+ \| (.+) \|$", (ROOT / "contracts/README.md").read_text(), re.MULTILINE)
    named = [re.findall(r"`(\w+)`", row) for row in rows[1:]]
    assert len(named) == 19
    assert all(named)
    forge = "".join(path.read_text() for path in (ROOT / "tests/contracts").rglob("*.sol"))
    there = set(re.findall(r"function ((?:test|invariant)\w*)\(", forge))
    there |= {name for name, value in globals().items() if callable(value)}
    assert {name for row in named for name in row} <= there


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_contracts_use_nothing_that_is_ruled_out(path: Path) -> None:
    code = read_code(path)
    assert not re.findall(RULED_OUT, code)
    assert "payable" not in code or path.name in PAYABLE


@pytest.mark.parametrize("name", ["Settle", "Router", "Guard", "Solver", "Lens"])
def test_shipped_contracts_are_of_a_compiler_that_is_sound(name: str) -> None:
    found = re.search(r"(\d+)\.(\d+)\.(\d+)", get_artifact(name).compiler)
    assert found
    assert tuple(map(int, found.groups())) >= FIRST_SOUND_COMPILER
