"""Which pools fill an order best, in exact integers."""

from onchain_exec.routing.quote import Quote
from onchain_exec.routing.route import GasModel, Route

__all__ = ["GasModel", "Quote", "Route"]
