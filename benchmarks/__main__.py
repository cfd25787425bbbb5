"""The table of all benchmarks, and ``benchmarks/results.json``."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.row import Row

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results.json"
ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
"""For every side alike: threads of linear algebra on a busy machine cost more than they save."""


def main() -> int:
    """Run the benchmarks named in the arguments, or all; return 1 if one failed, after the others."""
    names = sorted(path.stem.removeprefix("bench_") for path in FOLDER.glob("bench_*.py"))
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", nargs="*", help=f"one or more of: {', '.join(names)} (all without)")
    chosen = parser.parse_args().name or names
    if unknown := set(chosen) - set(names):
        parser.error(f"no benchmark named {', '.join(sorted(unknown))}; there are: {', '.join(names)}")

    console = Console()
    rows: list[Row] = []
    failed: list[str] = []
    for name in chosen:
        with console.status(f"measuring {name}"):
            measured = _measure(name)
        rows.extend(measured or [])
        if measured is None:
            failed.append(name)
    console.print(_table(rows))
    RESULTS.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    if failed:
        console.print(f"failed: {', '.join(failed)}", style="bold red")
    return 1 if failed else 0


def _measure(name: str) -> list[Row] | None:
    """Return the rows of one benchmark, or None if it failed: its traceback is on stderr by then."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "rows.json")
        command = [sys.executable, "-m", "benchmarks.measure", name, str(file)]
        if subprocess.run(command, cwd=FOLDER.parent, env=os.environ | ONE_THREAD, check=False).returncode:
            return None
        return [Row(**fields) for fields in json.loads(file.read_text())]


def _table(rows: list[Row]) -> Table:
    table = Table("benchmark", "peer")
    for column in ("value", "unit", "peer's value", "times better"):
        table.add_column(column, justify="left" if column == "unit" else "right")
    for row in rows:
        figures = (_figure(row.value), row.unit, _figure(row.peer_value), _figure(row.ratio))
        table.add_row(row.name, row.peer, *figures)
    return table


def _figure(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


if __name__ == "__main__":
    sys.exit(main())
