"""Hold what slither finds in the contracts to the answers in `tests/contracts/findings.toml`.

A finding without an answer fails, and so does an answer to what is not found any more. Run by `make deep`,
from the environment that has slither.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
ANSWERS: Final = ROOT / "tests" / "contracts" / "findings.toml"
EVERYWHERE: Final = "*"
OTHERS: Final = r"mocks|tests|\.protocols|interfaces/venues"


def read_answers() -> set[tuple[str, str]]:
    """Return the findings that are answered, as (detector, place); one without places counts everywhere."""
    answers = tomllib.loads(ANSWERS.read_text())["answer"]
    return {(answer["detector"], place) for answer in answers for place in answer.get("places", [EVERYWHERE])}


def run_slither() -> set[tuple[str, str]]:
    """Return what slither finds in our contracts, as (detector, contract and function).

    Raises:
        SystemExit: it could not read them; its messages are the text.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [str(Path(sys.executable).with_name("slither")), ".", "--json", str(report)]
        environment = {
            "FOUNDRY_PROFILE": "shipped",
            "FOUNDRY_TEST": "contracts/none",
            "FOUNDRY_OUT": f"{folder}/out",
        }
        done = subprocess.run(
            [*command, "--foundry-out-directory", f"{folder}/out", "--filter-paths", OTHERS],
            cwd=ROOT,
            env=os.environ | environment | {"FOUNDRY_CACHE_PATH": f"{folder}/cache"},
            capture_output=True,
            text=True,
            check=False,
        )
        if not report.exists() or not (document := json.loads(report.read_text()))["success"]:
            sys.exit(done.stderr)
    found = document["results"].get("detectors", [])
    return {(finding["check"], _find_place(finding["elements"][0])) for finding in found}


def _find_place(element: dict[str, object]) -> str:
    """Return the function, or what else it is, with the contract that it is in."""
    names = []
    while element:
        if element["type"] in ("contract", "function", "variable", "struct", "event"):
            names.append(str(element["name"]))
        fields = element.get("type_specific_fields")
        element = fields.get("parent", {}) if isinstance(fields, dict) else {}
    return ".".join(reversed(names))


def main() -> None:
    """Compare; fail with what differs."""
    answered = read_answers()
    everywhere = {detector for detector, place in answered if place == EVERYWHERE}
    found = {(detector, EVERYWHERE if detector in everywhere else place) for detector, place in run_slither()}
    problems = [f"not answered: {detector} in {place}" for detector, place in sorted(found - answered)]
    problems += [f"not found any more: {detector} in {place}" for detector, place in sorted(answered - found)]
    if problems:
        sys.exit("\n".join(problems))
    print(f"{len(found)} findings, each answered")


if __name__ == "__main__":
    main()
