"""The README's program on collateral runs as it stands there."""

import re
from pathlib import Path
from typing import Any

import pytest
from lending_desk import Lending

from onchain_exec import OrderState

README = (Path(__file__).parents[3] / "README.md").read_text("utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_readme_program_on_collateral_borrows_with_care(
    lending: Lending, capsys: pytest.CaptureFixture[str]
) -> None:
    (program,) = (text for text in PROGRAMS if "borrow_with_care" in text)
    scope: dict[str, Any] = {}
    exec(compile(program, "README.md", "exec"), scope)
    order = scope["borrow_with_care"](lending.desk, lending.token("WETH"), lending.token("USDC"))
    assert order.state is OrderState.FILLED
    assert capsys.readouterr().out == "at 1,800 dollars: 0.9960\n"
