"""What others can take of an order that everybody sees, computed before it is sent."""

from onchain_exec.risk.exposure.attack import Attacker, FrontRun, Sandwich
from onchain_exec.risk.exposure.exposure import Exposure, get_exposure
from onchain_exec.risk.exposure.lateness import Lateness, Volatility

__all__ = ["Attacker", "Exposure", "FrontRun", "Lateness", "Sandwich", "Volatility", "get_exposure"]
