"""Which pools fill an order best, in exact integers."""

from onchain_exec.routing.quote import Quote, bind_quote, make_quote
from onchain_exec.routing.route import GasModel, Route, Swap, Terms
from onchain_exec.routing.search import find_route

__all__ = ["GasModel", "Quote", "Route", "Swap", "Terms", "bind_quote", "find_route", "make_quote"]
