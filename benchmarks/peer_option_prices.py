"""Runs with vollib and QuantLib: options priced one by one, per second of CPU, as JSON on stdout.

The request has the options' columns and, of each answer, how many rows; the answers go back so that the
other side can compare them.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import QuantLib
from vollib.black import black
from vollib.black.greeks import analytical
from vollib.black.implied_volatility import implied_volatility

ROUNDS = 3
Row = tuple[bool, float, float, float, float, float]


def price_in_quantlib(row: Row) -> float:
    """Price with delta, gamma, vega, theta and rho."""
    is_call, forward, strike, years, vol, _ = row
    payoff = QuantLib.PlainVanillaPayoff(QuantLib.Option.Call if is_call else QuantLib.Option.Put, strike)
    found = QuantLib.BlackCalculator(payoff, forward, vol * years**0.5, 1.0)
    (
        found.deltaForward(),
        found.gammaForward(),
        found.vega(years),
        found.theta(forward, years),
        found.rho(years),
    )
    return found.value()


def price_in_vollib(row: Row) -> float:
    """Price with delta, gamma, vega, theta and rho."""
    is_call, forward, strike, years, vol, _ = row
    flag = "c" if is_call else "p"
    for greek in (analytical.delta, analytical.gamma, analytical.vega, analytical.theta, analytical.rho):
        greek(flag, forward, strike, years, 0.0, vol)
    return black(flag, forward, strike, years, 0.0, vol)


def invert_in_quantlib(row: Row) -> float:
    """Implied volatility by its fastest solver."""
    is_call, forward, strike, years, _, price = row
    kind = QuantLib.Option.Call if is_call else QuantLib.Option.Put
    stdev = QuantLib.blackFormulaImpliedStdDevLiRS(
        kind, strike, forward, price, 1.0, 0.0, QuantLib.nullDouble(), 1.0, 1e-12
    )
    return stdev / years**0.5


def invert_in_vollib(row: Row) -> float:
    """Implied volatility."""
    is_call, forward, strike, years, _, price = row
    return implied_volatility(price, forward, strike, 0.0, years, "c" if is_call else "p")


def price_heston_in_quantlib(model: list[float], forward: float, years: float) -> Callable[[float], float]:
    """Return a call's price by strike, of its COS engine."""
    today = QuantLib.Date(1, 1, 2_026)
    QuantLib.Settings.instance().evaluationDate = today
    flat = QuantLib.YieldTermStructureHandle(QuantLib.FlatForward(today, 0.0, QuantLib.Actual360()))
    spot = QuantLib.QuoteHandle(QuantLib.SimpleQuote(forward))
    v0, kappa, theta, sigma, rho = model
    process = QuantLib.HestonProcess(flat, flat, spot, v0, kappa, theta, sigma, rho)
    engine = QuantLib.COSHestonEngine(QuantLib.HestonModel(process), 24, 512)
    exercise = QuantLib.EuropeanExercise(today + round(360 * years))

    def price(strike: float) -> float:
        option = QuantLib.VanillaOption(QuantLib.PlainVanillaPayoff(QuantLib.Option.Call, strike), exercise)
        option.setPricingEngine(engine)
        return option.NPV()

    return price


def measure(work: Callable[[Any], float], rows: list[Any]) -> dict[str, Any]:
    """Return the best rate of some rounds, and the answers."""
    rates = []
    for _ in range(ROUNDS):
        started = time.process_time()
        answers = [work(row) for row in rows]
        rates.append(len(rows) / (time.process_time() - started))
    return {"per_second": max(rates), "answers": answers}


def main() -> None:
    request = json.load(sys.stdin)
    rows = [tuple(row) for row in request["rows"]]
    heston = price_heston_in_quantlib(request["heston"], request["forward"], request["years"])
    found = {
        "black76 price and greeks": {
            "QuantLib": measure(price_in_quantlib, rows),
            "vollib": measure(price_in_vollib, rows[:2_000]),
        },
        "implied vol": {
            "QuantLib": measure(invert_in_quantlib, rows),
            "vollib": measure(invert_in_vollib, rows[:2_000]),
        },
        "heston price": {"QuantLib": measure(heston, request["strikes"])},
    }
    json.dump(found, sys.stdout)


main()
