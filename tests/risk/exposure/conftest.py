"""Puts the real contracts' market, which the venues' tests use too, on the path."""

import sys
from pathlib import Path

VENUES = Path(__file__).parents[2] / "venues"
sys.path += [str(VENUES), str(VENUES / "uniswap")]
