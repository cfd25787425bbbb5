"""Random cases from a seed that is printed, and can be given as SEED in the environment.

The gate tries the same cases every time; the deep tests go on searching.
"""

import os
import sys
from random import Random, SystemRandom
from zlib import crc32

import pytest


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> Random:
    searches = request.node.get_closest_marker("deep") is not None
    chosen = SystemRandom().randrange(2**32) if searches else crc32(request.node.nodeid.encode())
    seed = int(os.environ.get("SEED") or chosen)
    sys.stdout.write(f"SEED={seed}\n")
    return Random(seed)
