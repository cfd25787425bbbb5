"""Random cases from a seed that is printed, and can be given again as SEED in the environment."""

import os
import sys
from random import Random, SystemRandom

import pytest


@pytest.fixture
def rng() -> Random:
    seed = int(os.environ.get("SEED") or SystemRandom().randrange(2**32))
    sys.stdout.write(f"SEED={seed}\n")
    return Random(seed)
