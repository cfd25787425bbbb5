"""How hard the tests search.

Property tests by ``--hypothesis-profile`` dev (the default), ci or deep; others with random cases from a
seed that is printed, and can be given as SEED in the environment. The gate tries the same cases every
time; the deep tests go on searching.
"""

import gc
import os
import sys
from collections.abc import Generator
from random import Random, SystemRandom
from zlib import crc32

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture.providers import HypothesisProvider
from hypothesis.internal.constants_ast import Constants

pytest_plugins = ["pytester"]

for profile, examples in (("dev", 50), ("ci", 50), ("deep", 5_000)):
    # A shared machine's pauses are no failures, and an EVM is slow to start, not to answer. The gate
    # (ci) tries the same examples every time; dev and deep go on searching.
    settings.register_profile(
        profile,
        max_examples=examples,
        deadline=None,
        derandomize=profile == "ci",
        suppress_health_check=[HealthCheck.too_slow],
    )
settings.load_profile("dev")


def pytest_configure(config: pytest.Config) -> None:
    """Let no case of the gate depend on what its process happens to have imported before: Hypothesis draws
    from the constants in all of that (and reads a thousand files to find them)."""
    if config.getoption("--hypothesis-profile") == "ci":
        HypothesisProvider._local_constants = property(lambda provider: Constants())


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect without collecting garbage: what is imported stays, and to look through it again and again
    takes a fifth of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> Random:
    searches = request.node.get_closest_marker("deep") is not None
    chosen = SystemRandom().randrange(2**32) if searches else crc32(request.node.nodeid.encode())
    seed = int(os.environ.get("SEED") or chosen)
    sys.stdout.write(f"SEED={seed}\n")
    return Random(seed)
