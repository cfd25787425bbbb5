"""Which pools fill an order best, in exact integers, and how good that is."""

from typing import TYPE_CHECKING

from onchain_exec.lazy import load_when_asked

if TYPE_CHECKING:
    from onchain_exec.routing.arbitrage import Arbitrage, find_arbitrage
    from onchain_exec.routing.basket import Basket, BasketRoute
    from onchain_exec.routing.find import find_basket_route, find_route
    from onchain_exec.routing.proof import Proof
    from onchain_exec.routing.quote import Quote, bind_quote, get_mid_values, make_quote
    from onchain_exec.routing.route import (
        Certificate,
        Exclusion,
        GasModel,
        Options,
        Route,
        Shape,
        Swap,
        Terms,
    )
    from onchain_exec.routing.shares import HopShare, get_hop_shares
    from onchain_exec.routing.solver.network import Network
    from onchain_exec.routing.tolerance import BoundReason, Tolerance

__all__ = [
    "Arbitrage",
    "Basket",
    "BasketRoute",
    "BoundReason",
    "Certificate",
    "Exclusion",
    "GasModel",
    "HopShare",
    "Network",
    "Options",
    "Proof",
    "Quote",
    "Route",
    "Shape",
    "Swap",
    "Terms",
    "Tolerance",
    "bind_quote",
    "find_arbitrage",
    "find_basket_route",
    "find_route",
    "get_hop_shares",
    "get_mid_values",
    "make_quote",
]

load_when_asked(__name__)
