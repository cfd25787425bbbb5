"""Endpoints, limits and the pool's policy as the configuration names them, against nodes that lie."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from cli_runner import Cli

from onchain_exec.app.configuration.endpoints import open_configured_rpc
from onchain_exec.app.configuration.settings import load_settings
from onchain_exec.chain import EndpointPool, LocalChain, Node, Role
from onchain_exec.core import to_address
from onchain_exec.errors import ConfigError, NodesDisagreeError
from onchain_exec.testing.lying_node import AnswerWith, LyingNode

ACCOUNT = to_address("0x" + "77" * 20)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory of its own, without this machine's configuration."""
    monkeypatch.chdir(tmp_path)
    for name in ("RPC_URL", "ENDPOINTS", "CHAIN_ID"):
        monkeypatch.delenv(f"ONCHAIN_EXEC_{name}", raising=False)
    return tmp_path


@pytest.fixture
def nodes() -> Iterator[list[LyingNode]]:
    """Three nodes in front of one chain."""
    with LocalChain.start() as chain, ExitStack() as stack:
        yield [stack.enter_context(LyingNode.start(chain.url)) for _ in range(3)]


def _write(folder: Path, nodes: list[LyingNode], agreeing: int) -> None:
    tables = [
        f'[[endpoints]]\nurl = "{node.url}"\nroles = ["read", "send"]\nlimits = {{ patience_s = 20 }}\n'
        for node in nodes
    ]
    policy = f"[pool]\nwitnesses = 3\nagreeing = {agreeing}\n"
    (folder / "onchain-exec.toml").write_text("\n".join([*tables, policy]))


async def test_configured_quorum_reads_outvote_a_node_that_lies_about_a_nonce(
    folder: Path, nodes: list[LyingNode]
) -> None:
    """Catalogue 3: a load balancer that returns an old nonce is outvoted, or the read refused."""
    nodes[1].lie(AnswerWith("0x9"), "eth_getTransactionCount")
    for agreeing, found in ((2, 0), (3, None)):
        _write(folder, nodes, agreeing)
        node = await Node.connect(open_configured_rpc(load_settings()))
        if found is None:
            with pytest.raises(NodesDisagreeError, match="3 endpoints that say the same"):
                await node.get_nonce(ACCOUNT)
        else:
            assert await node.get_nonce(ACCOUNT) == found
        await node.close()


def test_endpoints_of_the_environment_have_their_roles_and_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    endpoints = [
        {"url": "http://a/KEY", "roles": ["read"], "limits": {"requests_per_s": 25, "max_batch": 10}},
        {"url": "wss://b/KEY"},
        {"url": "https://c/KEY", "roles": ["private"]},
    ]
    monkeypatch.setenv("ONCHAIN_EXEC_ENDPOINTS", json.dumps(endpoints))
    monkeypatch.setenv("ONCHAIN_EXEC_POOL__MAX_TAIL", "3")
    settings = load_settings()
    assert settings.pool.max_tail == 3
    assert "KEY" not in repr(settings)
    rpc = open_configured_rpc(settings)
    assert isinstance(rpc, EndpointPool)
    roles = [member.roles for member in rpc.members]
    assert roles == [{Role.READ}, {Role.READ, Role.SEND}, {Role.PRIVATE}]
    waits = [member.bucket.get_wait(50, 0.0) for member in rpc.members]
    assert [member.bucket.take(25, 0.0) for member in rpc.members] == waits == [0.0] * 3
    assert [member.bucket.get_wait(25, 0.0) > 0 for member in rpc.members] == [True, False, False]


def test_url_that_is_set_is_used_instead_of_endpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONCHAIN_EXEC_ENDPOINTS", '[{"url": "http://a"}, {"url": "http://b"}]')
    assert open_configured_rpc(load_settings(rpc_url="http://c")).where == "http://c"
    assert open_configured_rpc(load_settings()).where == "http://a, http://b"


@pytest.mark.parametrize(
    ("setting", "value", "named"),
    [
        ("ENDPOINTS", '[{"url": "http://SECRET", "limits": {"requests_per_sec": 25}}]', "requests_per_sec"),
        ("ENDPOINTS", '[{"url": "http://SECRET", "roles": ["reads"]}]', "roles"),
        ("ENDPOINTS", '[{"url": "SECRET"}]', "scheme"),
        ("ENDPOINTS", '[{"url": "http://SECRET", "roles": []}]', "no role"),
        ("ENDPOINTS", '[{"url": "http://SECRET", "roles": ["read", "private"]}]', "private and public"),
        ("ENDPOINTS", '[{"url": "http://SECRET", "limits": {"max_batch": 0}}]', "max_batch is 0"),
        ("ENDPOINTS", "SECRET", "endpoints"),
        ("POOL__AGREEING", "0", "agreeing is 0"),
        ("POOL__HEDGE_AT", "1.5", "hedge_at is 1.5"),
        ("POOL__AGREES", "2", "agrees"),
    ],
)
def test_setting_that_cannot_be_meant_raises_and_names_it_without_the_url(
    monkeypatch: pytest.MonkeyPatch, setting: str, value: str, named: str
) -> None:
    monkeypatch.setenv(f"ONCHAIN_EXEC_{setting}", value)
    with pytest.raises(ConfigError, match=named) as caught:
        load_settings()
    assert "SECRET" not in str(caught.value)


def test_no_node_raises_and_says_what_to_set() -> None:
    with pytest.raises(ConfigError, match="ONCHAIN_EXEC_RPC_URL"):
        open_configured_rpc(load_settings())


def test_doctor_shows_the_state_of_each_endpoint(nodes: list[LyingNode], tmp_path: Path) -> None:
    roles = {nodes[0].url: ["read", "send"], nodes[1].url: ["read"], "http://127.0.0.1:1": ["read"]}
    roles[nodes[2].url] = ["private"]
    endpoints = [{"url": url, "roles": has, "limits": {"patience_s": 20}} for url, has in roles.items()]
    cli = Cli("", tmp_path / "journal.sqlite")
    findings = cli.json("doctor", expect=4, ONCHAIN_EXEC_ENDPOINTS=json.dumps(endpoints))["findings"]
    shown = [(finding["status"], finding["found"]) for finding in findings if finding["what"] == "endpoint"]
    assert [status for status, _ in shown] == ["ok", "ok", "failed", "ok"]
    for (_, told), words in zip(
        shown,
        ["read, send, alive, block 0", "read, alive, block 0", "unreachable", "private, not asked"],
        strict=True,
    ):
        assert words in told
    assert not nodes[2].transcript.of("*"), "a private endpoint is asked nothing"
