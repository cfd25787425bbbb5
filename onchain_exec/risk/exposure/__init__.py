"""What others can take of an order that everybody sees, computed before it is sent."""

from onchain_exec.risk.exposure.attack import Attacker, FrontRun, Sandwich
from onchain_exec.risk.exposure.back_run import get_back_run
from onchain_exec.risk.exposure.default_bound import Inclusion, bound_quote
from onchain_exec.risk.exposure.exposure import Exposure, get_exposure
from onchain_exec.risk.exposure.lateness import Lateness, Volatility
from onchain_exec.risk.exposure.volatility import (
    combine,
    estimate_volatility,
    estimate_volatility_of_means,
)

__all__ = [
    "Attacker",
    "Exposure",
    "FrontRun",
    "Inclusion",
    "Lateness",
    "Sandwich",
    "Volatility",
    "bound_quote",
    "combine",
    "estimate_volatility",
    "estimate_volatility_of_means",
    "get_back_run",
    "get_exposure",
]
