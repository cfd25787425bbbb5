"""What is shipped is what the sources compile to; forge compares the bytecode at every gate, too."""

import pytest

from scripts.build_artifacts import ARTIFACTS, build_artifacts


@pytest.mark.deep
def test_build_artifacts_again_gives_the_committed_files_byte_for_byte():
    committed = {path.stem: path.read_text() for path in ARTIFACTS.glob("*.json")}
    built = build_artifacts()
    assert sorted(built) == sorted(committed)
    for name, text in built.items():
        assert text == committed[name], f"{name} is stale: run `make contracts` and commit the result"
