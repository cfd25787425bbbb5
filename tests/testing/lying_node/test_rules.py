"""Which calls a rule selects, and that the same seed selects the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onchain_exec.errors import ConfigError
from onchain_exec.testing.lying_node import Call, Hang, Latency, ResetAfter, ResetBefore, Rule
from onchain_exec.testing.lying_node.rules import Rules

METHODS = ["eth_call", "eth_chainId", "eth_sendRawTransaction"]
conversations = st.lists(st.sampled_from(METHODS), max_size=60)


def select(rules: Rules, methods: list[str]) -> list[bool]:
    return [bool(rules.select(Call(method))) for method in methods]


@given(conversations, st.integers(1, 5))
def test_select_nth_meets_that_call_alone(methods: list[str], nth: int) -> None:
    rules = Rules(0)
    rules.add(Rule(ResetBefore(), "eth_call", nth=nth))
    calls = [place for place, method in enumerate(methods) if method == "eth_call"]
    met = [place for place, selected in enumerate(select(rules, methods)) if selected]
    assert met == calls[nth - 1 : nth]


@given(conversations, st.integers(1, 5))
def test_select_times_meets_the_first_ones(methods: list[str], times: int) -> None:
    rules = Rules(0)
    rules.add(Rule(ResetBefore(), "eth_c*", times=times))
    calls = [place for place, method in enumerate(methods) if method.startswith("eth_c")]
    met = [place for place, selected in enumerate(select(rules, methods)) if selected]
    assert met == calls[:times]


@given(st.integers(), conversations, st.floats(0, 1), conversations)
def test_select_by_chance_follows_from_the_seed_alone(
    seed: int, methods: list[str], probability: float, noise: list[str]
) -> None:
    rule = Rule(ResetBefore(), "eth_call", probability=probability)
    alone, among_others = Rules(seed), Rules(seed)
    alone.add(rule)
    among_others.add(rule)
    among_others.add(Rule(Latency(1), "eth_chainId", probability=0.5))
    expected = [
        found for found, method in zip(select(alone, methods), methods, strict=True) if method == "eth_call"
    ]
    mixed = [method for pair in zip(methods, noise, strict=False) for method in pair if method != "eth_call"]
    select(among_others, mixed)
    found = [
        any(isinstance(fault, ResetBefore) for fault in among_others.select(Call(method)))
        for method in methods
        if method == "eth_call"
    ]
    assert found == expected


@given(st.integers())
def test_select_by_chance_comes_near_its_probability(seed: int) -> None:
    rules = Rules(seed)
    rules.add(Rule(ResetBefore(), probability=0.3))
    assert 420 < sum(select(rules, ["eth_call"] * 2_000)) < 780  # 8 standard deviations


def test_select_when_looks_at_the_parameters() -> None:
    rules = Rules(0)
    rules.add(Rule(Hang(), "eth_call", when=lambda call: call.get(1) == "latest"))
    assert rules.select(Call("eth_call", [{}, "latest"])) == (Hang(),)
    assert rules.select(Call("eth_call", [{}, "0x1"])) == ()
    assert rules.select(Call("eth_call", [{}])) == ()


def test_clear_takes_one_rule_or_all_and_during_its_own() -> None:
    rules = Rules(0)
    first, second = rules.add(Rule(ResetBefore())), rules.add(Rule(ResetAfter()))
    assert rules.select(Call("x")) == (ResetBefore(), ResetAfter())
    rules.clear(first)
    with rules.during(Rule(Hang(1))):
        assert rules.select(Call("x")) == (ResetAfter(), Hang(1))
    assert rules.select(Call("x")) == (second.fault,)
    rules.clear()
    assert rules.select(Call("x")) == ()


@pytest.mark.parametrize("selection", [{"nth": 0}, {"times": 0}, {"probability": 1.1}, {"probability": -0.1}])
def test_rule_that_can_select_nothing_raises(selection: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        Rule(Hang(), **selection)  # type: ignore[arg-type]
