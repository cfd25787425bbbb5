"""Published values, each file with its source."""

import json
from pathlib import Path
from typing import Any

_GOLDEN = Path(__file__).parents[1] / "golden"


def load(name: str) -> Any:
    return json.loads((_GOLDEN / f"{name}.json").read_text())
