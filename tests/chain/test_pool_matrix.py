"""Three endpoints in every state, in virtual time: never a decision on a stale or wrong view.

Catalogue 24, 25, 26, 30, 33, 34, 35, 38: lies, invented and lost outcomes of sends, lags, minority
forks, rate limits, deaf sockets, other chains.
"""

import itertools

import pytest
from pool_matrix import FAULTS, check_cell

from onchain_exec.testing.simulated import run_virtually

ALL = list(itertools.product(FAULTS, repeat=3))
PAIRS = [cell for cell in ALL if sum(FAULTS.index(fault) for fault in cell) % len(FAULTS) == 0]
"""A Latin square: at any two of the three places, each pair of states once."""


def test_pairs_hold_each_pair_of_states_at_each_two_places() -> None:
    for first, second in itertools.combinations(range(3), 2):
        assert len({(cell[first], cell[second]) for cell in PAIRS}) == len(FAULTS) ** 2 == len(PAIRS)


@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
@pytest.mark.parametrize("cell", PAIRS, ids="/".join)
def test_decide_in_each_pair_of_states_ends_on_the_right_view_or_a_typed_error(
    cell: tuple[str, ...], warm: bool
) -> None:
    """Catalogue 24, 25, 26, 30, 33, 34, 35, 38."""
    run_virtually(check_cell(cell, warm))


@pytest.mark.parametrize("lagging", [1, 2, 3])
def test_decide_with_each_lag_from_1_to_64_ends_on_a_fresh_view_or_a_typed_error(lagging: int) -> None:
    """Catalogue 30: alone, as the majority, and all alike."""
    faults = ["lagging"] * lagging + ["ok"] * (3 - lagging)
    for lag in range(1, 65):
        run_virtually(check_cell(faults, True, (lag,) * 3))


@pytest.mark.deep
@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
@pytest.mark.parametrize("cell", ALL, ids="/".join)
def test_decide_in_each_cell_ends_on_the_right_view_or_a_typed_error(
    cell: tuple[str, ...], warm: bool
) -> None:
    """Catalogue 24, 25, 26, 30, 33, 34, 35, 38."""
    run_virtually(check_cell(cell, warm))
