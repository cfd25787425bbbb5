"""Take each check out of the contracts, one at a time, and see a forge test fail for it. Run by `make deep`.

A mutant is a contract in which one check is gone or off by one: a condition before a revert or a part of it,
a call of a `require...`, a lock, or one side of a signature's conditions. All mutants are compiled as one, in
a copy of the repository: the number of the one that is on is a balance that the tests set. Gas is not looked
at, so that only behaviour kills. What no test can tell from the original is listed below with the reason,
and must survive.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from onchain_exec.chain.tools import find_tool

ROOT: Final = Path(__file__).resolve().parent.parent
CONTRACTS: Final = ("Settle", "Solver", "Guard", "Router")
COPIED: Final = ("contracts", "tests/contracts", "scripts", "onchain_exec/core/artifacts", "foundry.toml")
LINKED: Final = ("node_modules", ".protocols")
TESTS: Final = {
    "settle": ("settle",),
    "Settle": ("settle",),
    "types": ("settle",),
    "Solver": ("solver",),
    "Guard": ("guard",),
}
"""The folders of tests of a folder, or a file, of contracts; those of the router for all others."""
ON: Final = "(address(uint160(0x6d7574616e74)).balance == {})"
ON_IN_ASSEMBLY: Final = "eq(balance(0x6d7574616e74), {})"
SWITCH: Final = 'vm.deal(address(uint160(0x6d7574616e74)), vm.envOr("MUTANT", uint256(0)));'
CONDITIONS: Final = (
    re.compile(r"\bif \((?P<gone>.+)\) (?:(?P<block>\{)|revert\b|return false;)"),
    re.compile(r"return (?P<gone>signer != address\(0\)) && signer"),
    re.compile(r"&& (?P<gone>signer == owner);"),
    re.compile(r"(?P<gone>success) && answer\.length >="),
    re.compile(r"&& (?P<gone>answer\.length >= 32) &&"),
)
STATEMENTS: Final = (
    re.compile(r"(?P<gone>(?:[\w.]+\.)?require[A-Z]\w*\([^;{}]*\);)"),
    re.compile(r"(?P<gone>(?:Lock\.close|Checks\.run|hop\.tokenIn\.disapprove)\([^;]*\);)"),
)
ASSEMBLY: Final = (
    re.compile(r"and\((?P<gone>gt\(returndatasize\(\), 31\)), "),
    re.compile(r"and\(accepted, (?P<gone>gt\(extcodesize\(token\), 0\))\)"),
    re.compile(r"gt\(returndatasize\(\), 31\), (?P<gone>eq\(mload\(0\), 1\))"),
)
EQUIVALENT: Final = {
    "Money.transfer: gt(extcodesize(token), 0) -> 1": "every token has told a balance before it is sent",
    "Signatures.isByCode: owner.code.length == 0 -> false": "no code answers nothing, which is too short",
    "Session.acceptCallback: expected == 0 || address(uint160(expected)) != msg.sender"
    " -> address(uint160(expected)) != msg.sender": "zero is nobody's address",
}
"""By the mutant's name, why no test can kill it."""


@dataclass(frozen=True)
class Mutant:
    """In a function of the source at ``path`` the code ``gone`` is replaced by ``instead``."""

    path: Path
    function: str
    gone: str
    instead: str

    @property
    def name(self) -> str:
        """The function, what is gone, and what is there instead, on one line."""
        gone = " ".join(self.gone.split())
        return f"{self.path.stem}.{self.function}: {gone} -> {self.instead or 'nothing'}"

    @property
    def tests(self) -> tuple[str, ...]:
        """The folders of the tests that try it."""
        return TESTS.get(self.path.stem) or TESTS.get(self.path.parent.name) or ("router", "guard")


def build_mutants(folder: Path) -> list[Mutant]:
    """Rewrite the sources in a copy of the repository so that each mutant can be switched on by its number,
    which is its place in the list, from 1 on."""
    mutants: list[Mutant] = []
    for path in _list_sources(folder / "contracts"):
        text = path.read_text()
        for patterns, rewrite in ((CONDITIONS, _offer), (STATEMENTS, _skip), (ASSEMBLY, _accept)):
            for pattern in patterns:
                text = pattern.sub(partial(rewrite, path, mutants), text)
        if path.stem == "Settle":
            text = _unlock(path, text, mutants)
        path.write_text(_unpure(text, "internal|private"))  # interfaces stay
    return mutants


def _unpure(text: str, visibilities: str) -> str:
    """Return a source whose functions may read the balance that chooses the mutant."""
    return re.sub(rf"\b({visibilities})\s+pure\b", r"\1 view", text)


def _list_sources(contracts: Path) -> Iterator[Path]:
    yield from (contracts / f"{name}.sol" for name in CONTRACTS)
    for part in ("types", "libraries/settle", "libraries/router"):
        yield from sorted((contracts / part).glob("*.sol"))


def _offer(path: Path, mutants: list[Mutant], found: re.Match[str]) -> str:
    """Return a condition that is another one for each of its mutants."""
    gone, rest = found["gone"], found.string[found.end() :]
    if "block" in found.groupdict() and found["block"] and not rest.lstrip().startswith("revert"):
        return found[0]
    chosen = f"({gone})"
    for other in ("false" if found[0].startswith("if") else "true", *_weaken(gone)):
        mutants.append(Mutant(path, _find_function(found), gone, other))
        chosen = f"({ON.format(len(mutants))} ? ({other}) : {chosen})"
    return found[0].replace(gone, chosen, 1)


def _find_function(found: re.Match[str]) -> str:
    """Return in which function or modifier a piece of code stands."""
    names: list[str] = re.findall(
        r"\b(?:(?:function|modifier) |(?=receive\())(\w+)", found.string[: found.start()]
    )
    return names[-1]


def _weaken(condition: str) -> Iterator[str]:
    """Yield a condition with each of its alternatives gone, and with each of its bounds off by one."""
    parts = condition.split(" || ")
    if len(parts) > 1 and all(part.count("(") == part.count(")") for part in parts):
        yield from (" || ".join(parts[:index] + parts[index + 1 :]) for index in range(len(parts)))
    for found in re.finditer(r" ([<>]=?) ", condition):
        off = found[1][0] if found[1].endswith("=") else f"{found[1]}="
        yield f"{condition[: found.start(1)]}{off}{condition[found.end(1) :]}"


def _skip(path: Path, mutants: list[Mutant], found: re.Match[str]) -> str:
    """Return a statement that its mutant skips; declarations, and calls whose value is needed, stay."""
    start = found.start("gone")
    before = found.string[found.string.rfind("\n", 0, start) + 1 : start]
    if "function" in before or re.search(r"[^!]=", before):
        return found[0]
    mutants.append(Mutant(path, _find_function(found), found["gone"], ""))
    return f"if (!{ON.format(len(mutants))}) {found['gone']}"


def _accept(path: Path, mutants: list[Mutant], found: re.Match[str]) -> str:
    mutants.append(Mutant(path, _find_function(found), found["gone"], "1"))
    chosen = f"or({ON_IN_ASSEMBLY.format(len(mutants))}, {found['gone']})"
    return found[0].replace(found["gone"], chosen, 1)


def _unlock(path: Path, text: str, mutants: list[Mutant]) -> str:
    """Let each settlement do without the modifier."""
    modifier = re.search(r"modifier settling\(\) \{(.+?)\n    \}\n", text, re.DOTALL)
    assert modifier  # noqa: S101 - else there is nothing to try, and the rest proves nothing
    for function in ("settle", "pair", "take", "takeFromContract"):
        mutants.append(Mutant(path, function, "settling", ""))
        guarded = rf"(function {function}\([^{{]*?)\bsettling\b"
        text = re.sub(guarded, rf"\1settlingUnless({len(mutants)})", text)
    body = f"if ({ON.format('mutant')}) {{ _; }} else {{{modifier[1]}}}"
    return text.replace(modifier[0], f"{modifier[0]} modifier settlingUnless(uint256 mutant) {{ {body} }}\n")


def copy_repository(folder: Path) -> None:
    """Copy what forge and the compiler need, with tests that switch the wanted mutant on."""
    for name in COPIED:
        source = ROOT / name
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, folder / name)
    for name in LINKED:
        (folder / name).symlink_to(ROOT / name)
    for path in (folder / "tests/contracts").rglob("Gas.t.sol"):
        path.unlink()
    for path in (folder / "tests/contracts").rglob("*.sol"):
        text = _unpure(path.read_text(), "public|external|internal|private")
        path.write_text(text.replace("return deployCode(", f"{SWITCH}\n        return deployCode("))
    settings = folder / "foundry.toml"  # what reads a balance is not pure, what does without a mutant may be
    settings.write_text(
        settings.read_text().replace("ignored_error_codes = [", "ignored_error_codes = [2018, ")
    )


def passes(folder: Path, tests: str, number: int) -> bool:
    """Return whether the tests in a folder of them pass with the mutant of this number on; 0 is none."""
    settings = {
        "MUTANT": str(number),
        "FORGE_SNAPSHOT_CHECK": "false",
        "FOUNDRY_FUZZ_RUNS": "40",
        # not by a filter, for which forge compiles everything once more before it looks at what it kept
        "FOUNDRY_TEST": f"tests/contracts/{tests}",
        "FOUNDRY_OUT": f".build/{tests}",
        "FOUNDRY_CACHE_PATH": f".build/{tests}-cache",
    }
    done = subprocess.run(
        [str(find_tool("forge")), "test", "--fail-fast"],
        cwd=folder,
        env=os.environ | settings,
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


def is_killed(folder: Path, mutant: Mutant, number: int) -> bool:
    """Return whether a test fails for the mutant."""
    return any(not passes(folder, tests, number) for tests in mutant.tests)


def main() -> None:
    """Try every mutant, or those whose name contains the first argument; fail if one survives unexplained."""
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    wrong = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copy_repository(folder)
        mutants = build_mutants(folder)
        subprocess.run([sys.executable, "scripts/build_artifacts.py"], cwd=folder, check=True)
        for tests in ("settle", "solver", "guard", "router"):
            if not passes(folder, tests, 0):
                sys.exit(f"the tests of {tests} fail without a mutant")
        for number, mutant in enumerate(mutants, 1):
            if wanted in mutant.name:
                killed = is_killed(folder, mutant, number)
                wrong += killed == (mutant.name in EQUIVALENT)
                print(f"{'killed' if killed else 'SURVIVED':8}  {mutant.name}", flush=True)
    if wrong:
        sys.exit(f"{wrong} mutants are not as they should be")


if __name__ == "__main__":
    main()
