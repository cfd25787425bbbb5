"""The engine in worlds of its own: whatever is lost, doubled, reorganised or dies, nothing is traded
twice, nothing is forgotten, the books are the chain's, and a kill is the end."""

import pytest
from engine.simulation import run_seed

from onchain_exec.app.channels import dispatch
from onchain_exec.app.configuration import switched_signer
from onchain_exec.app.engine import engine

CHUNK = 50


@pytest.mark.parametrize("first", range(0, 500, CHUNK))
def test_simulate_any_seed_holds_every_law(first):
    for seed in range(first, first + CHUNK):
        run_seed(seed)


@pytest.mark.deep
@pytest.mark.parametrize("first", range(500, 10_500, 10 * CHUNK))
def test_simulate_thousands_of_seeds_hold_every_law(first):
    for seed in range(first, first + 10 * CHUNK):
        run_seed(seed)


def test_simulate_same_seed_is_the_same_world():
    one, other = run_seed(7), run_seed(7)
    assert one.lines.replay().orders == other.lines.replay().orders
    assert one.chain.blocks == other.chain.blocks
    assert one.story == other.story


def test_simulate_engine_that_never_sends_again_is_caught(monkeypatch):
    async def forget(*_):
        """What was sent once is taken for mined."""

    monkeypatch.setattr(engine, "care_for", forget)
    require_caught("without an end", range(40))


def test_simulate_switch_that_stops_nothing_is_caught(monkeypatch):
    for module in (dispatch, switched_signer):
        monkeypatch.setattr(module, "require_not_killed", lambda *_: None)
    monkeypatch.setattr(engine, "is_killed", lambda *_: False)
    require_caught("after the kill", range(0, 400, 4))


def require_caught(law, seeds):
    """Some seed must break the law, and say which one it was."""
    broken = next(filter(None, map(find_broken_law, seeds)), None)
    assert broken is not None, "no seed sees it"
    seed, error = broken
    assert law in str(error)
    assert f"seed {seed}" in error.__notes__[0]


def find_broken_law(seed):
    try:
        run_seed(seed)
    except AssertionError as error:
        return seed, error
    return None
