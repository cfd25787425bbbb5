"""Options priced and inverted per second of CPU, a chain of 800 in ms. Peers: QuantLib, vollib.

The rows "with numba" need the extra of that name; it compiles before it is measured.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import peers
from benchmarks.row import Row, higher_is_better
from onchain_exec.pricing.heston import Heston
from onchain_exec.pricing.options import black76, compiled, implied_vol

ROWS, THEIR_ROWS, CHAIN = 400_000, 20_000, 800
ROUNDS, CHAIN_ROUNDS = 7, 200
PEER = Path(__file__).with_name("peer_option_prices.py")
MODEL = Heston(v0=0.04, kappa=4.0, theta=0.25, sigma=1.0, rho=-0.5)
FORWARD, YEARS = 100.0, 1.0
STRIKES = np.linspace(60, 160, 2_000)
WITH_NUMBA = " with numba"
INVERT = {"implied vol": implied_vol.get_implied_vol, f"implied vol{WITH_NUMBA}": compiled.get_implied_vol}


def run() -> list[Row]:
    """Return the rows, after each peer gave the same answers."""
    options = _draw(ROWS)
    is_call, forward, strike, years, vol, price = options
    theirs = peers.ask_python(
        "options",
        PEER,
        {
            "rows": [
                list(row) for row in zip(*(column[:THEIR_ROWS].tolist() for column in options), strict=True)
            ],
            "heston": [MODEL.v0, MODEL.kappa, MODEL.theta, MODEL.sigma, MODEL.rho],
            "forward": FORWARD,
            "years": YEARS,
            "strikes": STRIKES.tolist(),
        },
    )
    chain = [column[:CHAIN] for column in options]
    compiled.get_implied_vol(True, 10.0, FORWARD, FORWARD, YEARS)
    found = {
        "black76 price and greeks": _measure(
            lambda: black76.get_greeks(is_call, forward, strike, years, vol).price
        ),
        **{
            name: _measure(lambda invert=invert: invert(is_call, price, forward, strike, years))
            for name, invert in INVERT.items()
        },
        "heston price": _measure(lambda: MODEL.get_price(True, FORWARD, STRIKES, YEARS)),
    }
    rows = [_compare(name, *ours, theirs[name.removesuffix(WITH_NUMBA)]) for name, ours in found.items()]
    for name, invert in INVERT.items():
        chain_s = CHAIN / _measure(lambda invert=invert: _work_through(invert, *chain), CHAIN_ROUNDS)[0]
        rows.append(Row(name.replace("implied vol", "chain of 800"), chain_s * 1_000, "ms"))
    return rows


def _draw(rows: int) -> list[np.ndarray]:
    """Return out-of-the-money options up to three deviations out, with their prices."""
    rng = np.random.default_rng(20_260_101)
    years, vol, z = rng.uniform(0.01, 2, rows), rng.uniform(0.1, 1.5, rows), rng.uniform(-3, 3, rows)
    is_call, forward = z > 0, np.full(rows, FORWARD)
    strike = forward * np.exp(z * vol * np.sqrt(years))
    return [is_call, forward, strike, years, vol, black76.get_price(is_call, forward, strike, years, vol)]


def _work_through(invert: Callable[..., np.ndarray], *chain: np.ndarray) -> np.ndarray:
    """Do what a quoting loop does with a chain: volatilities from prices, Greeks from volatilities."""
    is_call, forward, strike, years, _, price = chain
    vol = invert(is_call, price, forward, strike, years)
    return black76.get_greeks(is_call, forward, strike, years, vol).price


def _measure(work: Callable[[], np.ndarray], rounds: int = ROUNDS) -> tuple[float, np.ndarray]:
    rates = []
    for _ in range(rounds):
        started = time.process_time()
        answers = work()
        rates.append(len(answers) / (time.process_time() - started))
    return max(rates), answers


def _compare(name: str, per_second: float, answers: np.ndarray, theirs: dict[str, Any]) -> Row:
    for peer in theirs.values():
        np.testing.assert_allclose(answers[: len(peer["answers"])], peer["answers"], rtol=1e-8, atol=1e-10)
    fastest = max(theirs, key=lambda peer: theirs[peer]["per_second"])
    return higher_is_better(name, per_second, "per second", fastest, theirs[fastest]["per_second"])
