"""Packages load their public names when asked, and show what type checkers are told."""

import json
import pkgutil
import subprocess
import sys
from importlib import import_module
from types import ModuleType

import pytest

import onchain_exec
from onchain_exec import execution
from onchain_exec.lazy import LazyPackage

LAZY = [
    module
    for found in pkgutil.walk_packages(onchain_exec.__path__, "onchain_exec.")
    if found.ispkg and isinstance(module := import_module(found.name), LazyPackage)
]


def _modules_after(statement: str) -> set[str]:
    program = f"import json, sys\n{statement}\nprint(json.dumps(sorted(sys.modules)))"
    return set(json.loads(subprocess.check_output([sys.executable, "-c", program], text=True)))


@pytest.mark.parametrize("package", LAZY, ids=lambda package: package.__name__)
def test_lazy_package_every_public_name_is_something_else_than_a_module(package):
    assert package.__all__
    for name in package.__all__:
        assert name in dir(package)
        assert not isinstance(getattr(package, name), ModuleType), name


def test_lazy_package_unknown_name_raises_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'sned'"):
        execution.sned  # noqa: B018 - to ask is the test


def test_lazy_package_name_of_a_submodule_stays_the_name():
    module = import_module("onchain_exec.execution.delivery.send")
    assert execution.send is module.send
    assert _modules_after(
        "import onchain_exec.execution.delivery.send; from onchain_exec.execution import send; send.__code__"
    )


def test_journal_loads_neither_solver_nor_sockets_nor_keys_nor_decoders():
    loaded = _modules_after("from onchain_exec.oms import Journal; Journal.open")
    slow = {"numpy", "scipy", "aiohttp", "websockets", "eth_account", "coincurve", "eth_abi", "pydantic"}
    assert not slow & loaded


def test_desk_loads_no_mirror_of_a_venue_and_no_solver():
    loaded = _modules_after("import onchain_exec.app.desk")
    venues = [f"onchain_exec.venues.{kind}." for kind in ("perpetuals", "options", "lending")]
    assert not {"scipy", "highspy"} & loaded
    assert not [name for name in loaded if name.startswith(tuple(venues))]


@pytest.mark.parametrize("name", onchain_exec.__all__)
def test_front_door_has_every_name_that_it_promises(name):
    assert getattr(onchain_exec, name).__name__ == name
