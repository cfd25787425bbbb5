"""Swaps through our Router: any route over all kinds of pools, with conditions on what it leaves."""

from onchain_exec.venues.router.basket import BasketTerms, build_basket_call, plan_basket_swap
from onchain_exec.venues.router.codec import (
    Input,
    Output,
    RouterCall,
    RouterHop,
    RouterPermit,
    RouterTerms,
    Venue,
    decode_router_call,
    encode_router_call,
)
from onchain_exec.venues.router.errors import ROUTER_ERRORS
from onchain_exec.venues.router.permit import get_permit_digest, get_permit_typed_data
from onchain_exec.venues.router.place import RouterDeployment
from onchain_exec.venues.router.plan import build_router_call, plan_router_swap

__all__ = [
    "ROUTER_ERRORS",
    "BasketTerms",
    "Input",
    "Output",
    "RouterCall",
    "RouterDeployment",
    "RouterHop",
    "RouterPermit",
    "RouterTerms",
    "Venue",
    "build_basket_call",
    "build_router_call",
    "decode_router_call",
    "encode_router_call",
    "get_permit_digest",
    "get_permit_typed_data",
    "plan_basket_swap",
    "plan_router_swap",
]
