import multiprocessing
import os
from pathlib import Path

import pytest

from onchain_exec.app.sandbox import Deployment
from onchain_exec.app.sandbox.cache import (
    ROOT_VARIABLE,
    get_cache_root,
    get_deployed,
    get_fingerprint,
    read_deployment,
)
from onchain_exec.core import Token, to_address

ADDRESS = to_address("0x" + "12" * 20)
DEPLOYMENT = Deployment(
    chain_id=1337,
    tokens={"WETH": Token(1337, ADDRESS, "WETH", 18)},
    protocols={"uniswap_v2": {"factory": ADDRESS}},
    pools=(f"uniswap_v2:{ADDRESS}",),
    trader=ADDRESS,
    block_number=7,
)


def deploy(state: Path) -> Deployment:
    state.write_text("the state")
    with state.parents[2].joinpath("calls").open("a") as calls:
        calls.write("x")
    return DEPLOYMENT


def work(root: Path) -> None:
    state, deployment = get_deployed(root, deploy)
    assert deployment == DEPLOYMENT
    assert state.read_text() == "the state"


def test_get_deployed_deploys_once_and_then_loads(tmp_path: Path) -> None:
    assert read_deployment(tmp_path) is None
    work(tmp_path)
    work(tmp_path)
    assert (tmp_path / "calls").read_text() == "x"
    assert read_deployment(tmp_path) == DEPLOYMENT


def test_get_deployed_by_processes_at_once_deploys_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=work, args=(tmp_path,)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert (tmp_path / "calls").read_text() == "x"


def test_get_deployed_when_deploying_fails_leaves_nothing_to_load(tmp_path: Path) -> None:
    def fail(state: Path) -> Deployment:
        state.write_text("half a state")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        get_deployed(tmp_path, fail)
    assert read_deployment(tmp_path) is None
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]
    work(tmp_path)


def test_get_deployed_by_ever_new_code_keeps_the_newest_few(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in range(5):
        monkeypatch.setattr("onchain_exec.app.sandbox.cache.get_fingerprint", str(version).__str__)
        work(tmp_path)
        os.utime(tmp_path / f"sandbox-{version}", (version, version))
    kept = sorted(path.name for path in tmp_path.glob("sandbox-*/"))
    assert kept == ["sandbox-2", "sandbox-3", "sandbox-4"]
    assert read_deployment(tmp_path) == DEPLOYMENT


def test_get_fingerprint_is_stable() -> None:
    assert get_fingerprint() == get_fingerprint()


def test_get_fingerprint_changes_with_a_pin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "packages.json").write_text("[]")
    (tmp_path / "seed").mkdir()
    (tmp_path / "seed" / "prices.py").write_text("WETH = 3000")
    monkeypatch.setattr("onchain_exec.app.sandbox.cache.resources.files", lambda package: tmp_path)
    before = get_fingerprint()
    (tmp_path / "seed" / "prices.py").write_text("WETH = 3001")
    after = get_fingerprint()
    (tmp_path / "packages.json").write_text("[1]")
    assert len({before, after, get_fingerprint()}) == 3


def test_get_cache_root_is_the_one_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(ROOT_VARIABLE, str(tmp_path))
    assert get_cache_root() == tmp_path


def test_deployment_json_round_trips() -> None:
    assert Deployment.from_json(DEPLOYMENT.to_json()) == DEPLOYMENT
