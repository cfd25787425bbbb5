"""The README's programs run as they stand there."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from onchain_exec import Desk
from onchain_exec.app.sandbox import Sandbox
from onchain_exec.chain import DevAccount
from onchain_exec.testing.actors import Actor
from onchain_exec.testing.lying_node import LyingNode

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_readme_first_program_prints_a_fill_equal_to_its_quote(capsys: pytest.CaptureFixture[str]) -> None:
    (program,) = (text for text in PROGRAMS if "Desk.local()" in text)
    exec(compile(program, "README.md", "exec"), {})
    quoted, filled = capsys.readouterr().out.splitlines()
    assert quoted.split()[0] == filled.split()[1]
    assert filled.startswith("FILLED ")


def test_readme_test_of_a_bot_passes(desk: Desk, fund: Callable[[str, str, str], None], whale: Actor) -> None:
    (program,) = (text for text in PROGRAMS if "def test_my_bot_buys" in text)
    scope: dict[str, Callable[..., None]] = {}
    exec(compile(program, "README.md", "exec"), scope)
    scope["test_my_bot_buys_the_dip"](desk, fund, whale)


def test_readme_test_on_a_lying_node_passes(
    lying_node: LyingNode, fork: Sandbox, trader: DevAccount, tmp_path: Path
) -> None:
    (program,) = (text for text in PROGRAMS if "def test_my_bot_sends_once" in text)
    scope: dict[str, Any] = {}
    exec(compile(program, "README.md", "exec"), scope)
    scope["test_my_bot_sends_once_though_the_answer_is_lost"](lying_node, fork, trader, tmp_path)


def test_readme_program_on_options_prints_what_its_prices_imply(capsys: pytest.CaptureFixture[str]) -> None:
    (program,) = (text for text in PROGRAMS if "fit_surface" in text)
    scope: dict[str, Any] = {}
    exec(compile(program, "README.md", "exec"), scope)
    assert capsys.readouterr().out.startswith("[0.55496558 ")
    assert scope["greeks"].price == pytest.approx(scope["calls"])


def test_readme_life_of_an_option_ends_at_its_payoff(capsys: pytest.CaptureFixture[str]) -> None:
    (program,) = (text for text in PROGRAMS if "deploy_lyra" in text)
    exec(compile(program, "README.md", "exec"), {})
    paid, got, earned = capsys.readouterr().out.splitlines()
    assert paid.startswith("paid ")
    assert got.startswith("got 86.")
    assert earned == "earned 773.96, and has 1.00 ether again"  # 3 (2,000 - 1,742.01337)


def test_readme_life_of_a_covered_call_ends_at_the_oracles_price(capsys: pytest.CaptureFixture[str]) -> None:
    (program,) = (text for text in PROGRAMS if "deploy_uma" in text)
    exec(compile(program, "README.md", "exec"), {})
    implied, left = capsys.readouterr().out.splitlines()
    assert implied.startswith("the calls imply 8")
    assert left == "left of five: 4.0 ether"  # less 500 of the 2,500 dollars of each


def test_readme_life_of_a_perpetual_ends_in_half_of_it_taken_over(capsys: pytest.CaptureFixture[str]) -> None:
    (program,) = (text for text in PROGRAMS if "deploy_perp_v2" in text)
    exec(compile(program, "README.md", "exec"), {})
    opened, paid, left = capsys.readouterr().out.splitlines()
    assert opened.startswith("at 3001.07, liquidated below 28")
    assert 0.7 < float(paid.split()[1]) < 0.9  # as the premium of the means over the index has it
    assert left.startswith("left with 3.0 ether and ")


def test_readme_matched_orders_gain_what_no_match_exceeds(capsys: pytest.CaptureFixture[str]) -> None:
    program = next(text for text in PROGRAMS if "find_match" in text)
    exec(compile(program, "README.md", "exec"), {})
    gain, bound, _ = map(float, capsys.readouterr().out.split())
    assert gain == pytest.approx(100, rel=1e-3)
    assert bound == pytest.approx(100, rel=1e-3)
