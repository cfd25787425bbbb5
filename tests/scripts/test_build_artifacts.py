"""What is shipped is what the sources compile to; ape compares the bytecode of what it deploys, too."""

import hashlib
import re
from pathlib import Path

import pytest

from onchain_exec.core.artifact import get_artifact
from scripts.build_artifacts import ARTIFACTS, ROOT, SHIPPED_FOLDERS, build_artifacts

SHIPPED = sorted(path.stem for path in ARTIFACTS.glob("*.json"))


def _find_sources(path: Path) -> set[Path]:
    """Return a source and all that it imports."""
    found, new = set(), {path}
    while new:
        found |= new
        names = [(source, name) for source in new for name in re.findall(r'from "(.+)"', source.read_text())]
        new = {
            ((source.parent if name[0] == "." else ROOT) / name).resolve() for source, name in names
        } - found
    return found


@pytest.mark.parametrize("name", SHIPPED)
def test_artifact_is_of_the_sources_as_they_stand(name):
    (source,) = (path for folder in SHIPPED_FOLDERS if (path := ROOT / folder / f"{name}.sol").exists())
    texts = {str(path.relative_to(ROOT)): path.read_text() for path in _find_sources(source)}
    digest = hashlib.sha256()
    for path in sorted(texts):
        digest.update(f"{path}\0{texts[path]}\0".encode())
    assert get_artifact(name).source_sha256 == digest.hexdigest(), (
        "run `make contracts` and commit the result"
    )


@pytest.mark.deep
def test_build_artifacts_again_gives_the_committed_files_byte_for_byte():
    committed = {path.stem: path.read_text() for path in ARTIFACTS.glob("*.json")}
    built = build_artifacts()
    assert sorted(built) == sorted(committed)
    for name, text in built.items():
        assert text == committed[name], f"{name} is stale: run `make contracts` and commit the result"
