"""What a linter cannot state about the whole: cycles, handlers, sizes, proofs, imports."""

import ast
import graphlib
import importlib.metadata
import json
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import NamedTuple

import grimp
import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "onchain_exec"
MAX_LINES = 500
MAKERS = {
    "Route": "routing",
    "Quote": "routing",
    "Approved": "risk",
    "Denied": "risk",
    "TxPlan": "execution",
    "SimulatedTx": "execution",
    "SignedTx": "execution",
    "DurableTx": "oms",
    "Fill": "oms",
}
"""Each step's type, and the only package that may make it: so a value proves its step."""


def _tracked(*suffixes: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    paths = (ROOT / name for name in listed.stdout.split("\0") if name.endswith(suffixes))
    return [path for path in paths if path.is_file() and not path.is_symlink()]


class Facts(NamedTuple):
    """What a source file catches, by line, calls and imports."""

    caught: tuple[tuple[int, tuple[str, ...]], ...]
    called: frozenset[str]
    imported: frozenset[str]


@cache
def _read_facts(path: Path) -> Facts:
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
    handlers = (node for node in nodes if isinstance(node, ast.ExceptHandler))
    modules = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    return Facts(
        tuple(
            (node.lineno, tuple(_names(node.type)) if node.type else ("BaseException",)) for node in handlers
        ),
        frozenset(name for node in nodes if isinstance(node, ast.Call) for name in _names(node.func)),
        frozenset(modules),
    )


def _list_sources() -> list[Path]:
    return [path for path in _tracked(".py") if path.is_relative_to(PACKAGE)]


def _names(node: ast.expr | None) -> list[str]:
    """Return the last names of what an expression refers to: ``a.B`` and ``(B, C)`` too."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return [name]
        case ast.Tuple(elts=elements):
            return [name for element in elements for name in _names(element)]
    return []


def test_imports_have_no_cycle():
    graph = grimp.build_graph("onchain_exec", exclude_type_checking_imports=True, cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    told = grimp.build_graph("onchain_exec", cache_dir=None)
    for package in told.find_modules_that_directly_import("onchain_exec.lazy"):  # what they show, they load
        imports[package] = told.find_modules_directly_imported_by(package)
    graphlib.TopologicalSorter(imports).prepare()  # raises CycleError, which names the cycle


def test_handlers_none_is_broad():
    broad = {"Exception", "BaseException"}
    hinted = (path for path in _tracked(".py") if re.search(r"Exception|except *:", path.read_text("utf-8")))
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in hinted
        for line, names in _read_facts(path).caught
        if broad.intersection(names)
    ]
    assert not found


def test_files_none_is_over_500_lines():
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in _tracked(".py", ".sol", ".js")}
    assert not {str(path): lines for path, lines in lengths.items() if lines > MAX_LINES}


@pytest.mark.parametrize("step_type", MAKERS)
def test_step_types_each_is_made_in_its_own_package_only(step_type):
    assert _find_callers()[step_type] == {MAKERS[step_type]}


@cache
def _find_callers() -> dict[str, set[str]]:
    """Return the packages that call something of each name."""
    callers: dict[str, set[str]] = defaultdict(set)
    for path in _list_sources():
        for name in _read_facts(path).called:
            callers[name].add(path.relative_to(PACKAGE).parts[0])
    return callers


def test_tracked_files_name_no_machine_and_no_registry():
    private = re.compile(r'(?<![\w.~])/(work|root|home|Users)/\w|registry\.npm|pypi\.org|"resolved": *"http')
    found = []
    for path in _tracked(""):
        if path.suffix == ".sqlite" or path == Path(__file__):
            continue
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if private.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}")
    assert not found


def test_import_loads_nothing_heavy_and_has_no_side_effect(tmp_path):
    program = (
        "import json, sys, threading\n"
        "import onchain_exec\n"
        "print(json.dumps([sorted(sys.modules), threading.active_count()]))\n"
    )
    command = [sys.executable, "-c", program]
    modules, threads = json.loads(subprocess.check_output(command, text=True, cwd=tmp_path))
    assert not {"web3", "aiohttp", "sqlalchemy", "ape", "scipy"}.intersection(modules)
    assert threads == 1
    assert not list(tmp_path.iterdir())


def test_dependencies_are_those_that_the_package_imports():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {_distribution(line) for line in project["dependencies"]}
    optional = {
        _distribution(line)
        for extra in ("numba", "otel", "plot", "postgres", "server", "testing", "web3")
        for line in project["optional-dependencies"][extra]
    }
    homes = importlib.metadata.packages_distributions()
    modules = {module for path in _list_sources() for module in _read_facts(path).imported}
    tops = {module.partition(".")[0] for module in modules} - sys.stdlib_module_names - {"onchain_exec"}
    imported = {homes[top][0].lower().replace("_", "-") for top in tops if top in homes}
    assert declared <= imported, "declared, never imported"
    assert imported <= declared | optional, "imported, not declared"


def _distribution(requirement: str) -> str:
    return re.split(r"[\[<>=;! ]", requirement)[0]
