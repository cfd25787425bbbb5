"""Tools are found where they are installed, and launchers are never taken for them."""

from pathlib import Path

import pytest

from onchain_exec.chain import find_tool
from onchain_exec.errors import ConfigError, MissingToolError


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with an npm launcher on the PATH and nothing else."""
    launcher = tmp_path / "bin" / "anvil-like"
    launcher.parent.mkdir()
    launcher.write_text("#!/usr/bin/env node\n")
    launcher.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(launcher.parent))
    return tmp_path


def test_find_tool_returns_the_native_binary() -> None:
    assert find_tool("anvil").read_bytes()[:4] in (b"\x7fELF", b"\xcf\xfa\xed\xfe")


def test_find_tool_takes_a_native_binary_on_the_path(nowhere: Path) -> None:
    binary = nowhere / "bin" / "native-tool"
    binary.write_bytes(b"\x7fELF")
    binary.chmod(0o755)
    assert find_tool("native-tool") == binary


def test_find_tool_when_there_is_only_a_launcher_raises(nowhere: Path) -> None:
    with pytest.raises(MissingToolError, match="anvil-like is not installed"):
        find_tool("anvil-like")


def test_find_tool_prefers_the_environment(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = nowhere / "chosen"
    chosen.write_bytes(b"\x7fELF")
    monkeypatch.setenv("ONCHAIN_EXEC_ANVIL", str(chosen))
    assert find_tool("anvil") == chosen


def test_find_tool_when_the_environment_names_nothing_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONCHAIN_EXEC_ANVIL", "/no/such/file")
    with pytest.raises(ConfigError, match="ONCHAIN_EXEC_ANVIL"):
        find_tool("anvil")
