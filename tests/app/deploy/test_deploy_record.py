"""The file of what was deployed on a chain: what is written is read, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from onchain_exec.app.configuration.registry import get_chain_profile
from onchain_exec.app.deploy.blueprints import list_blueprints
from onchain_exec.app.deploy.record import add_deployed, read_terms, require_writable, write_record
from onchain_exec.app.deploy.terms import Terms
from onchain_exec.core import to_address
from onchain_exec.errors import ConfigError

TERMS = Terms(to_address("0x" + "ab" * 20), 1_900_000_000, 2_000_000_000)
MAINNET = get_chain_profile(1)
BLUEPRINTS = list_blueprints(MAINNET.wrapped_native.address, MAINNET.protocols, TERMS)


def test_write_record_then_add_deployed_lists_every_contract(tmp_path: Path) -> None:
    assert add_deployed(MAINNET, tmp_path) is MAINNET
    assert read_terms(1, tmp_path) is None
    write_record(1, tmp_path, BLUEPRINTS[:2])
    write_record(1, tmp_path, BLUEPRINTS[2:])
    profile = add_deployed(MAINNET, tmp_path)
    assert profile.protocols["onchain_exec"] == {one.role: one.address for one in BLUEPRINTS}
    assert read_terms(1, tmp_path) == TERMS
    assert add_deployed(get_chain_profile(10), tmp_path) == get_chain_profile(10)
    assert [path.name for path in tmp_path.iterdir()] == ["1.json"]


def test_add_deployed_leaves_what_the_profile_lists(tmp_path: Path) -> None:
    listed = replace(MAINNET, protocols={**MAINNET.protocols, "onchain_exec": {"router": TERMS.guardian}})
    write_record(1, tmp_path, BLUEPRINTS)
    own = add_deployed(listed, tmp_path).protocols["onchain_exec"]
    assert own["router"] == TERMS.guardian
    assert own["settle"] == BLUEPRINTS[-1].address


@pytest.mark.parametrize("arguments", ["", ', "arguments": {}', ', "arguments": {"guardian": 1}'])
def test_read_terms_of_a_file_that_is_damaged_raises(tmp_path: Path, arguments: str) -> None:
    settle = f'{{"address": "{TERMS.guardian}"{arguments}}}'
    (tmp_path / "1.json").write_text(f'{{"chain_id": 1, "contracts": {{"settle": {settle}}}}}')
    with pytest.raises(ConfigError):
        read_terms(1, tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"chain_id": 10, "contracts": {}}',
        '{"chain_id": 1}',
        '{"chain_id": 1, "contracts": []}',
        '{"chain_id": 1, "contracts": {"router": {}}}',
        '{"chain_id": 1, "contracts": {"router": {"address": ""}}}',
        '{"chain_id": 1, "contracts": {"router": {"address": "0x12"}}}',
        '{"chain_id": 1, "contracts": {"router": {"address": 12}}}',
    ],
)
def test_add_deployed_of_a_file_that_is_damaged_raises(tmp_path: Path, text: str) -> None:
    (tmp_path / "1.json").write_text(text)
    with pytest.raises(ConfigError):
        add_deployed(MAINNET, tmp_path)


def test_require_writable_makes_the_folder_and_refuses_what_is_none(tmp_path: Path) -> None:
    require_writable(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "in it"):
        with pytest.raises(ConfigError, match="cannot be written to"):
            require_writable(folder)
