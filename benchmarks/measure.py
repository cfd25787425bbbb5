"""Run one benchmark in a process of its own: ``python -m benchmarks.measure NAME FILE``.

Its rows go to FILE as JSON, so that whatever a benchmark or a peer prints cannot mix with them.
"""

from __future__ import annotations

import importlib
import json
import sys
from dataclasses import asdict
from pathlib import Path


def main(name: str, file: str) -> None:
    """Measure ``bench_NAME`` and write its rows."""
    rows = importlib.import_module(f"benchmarks.bench_{name}").run()
    Path(file).write_text(json.dumps([asdict(row) for row in rows]))


if __name__ == "__main__":
    main(*sys.argv[1:])
