"""The engine: parent orders of several accounts and chains, traded from the journal, head by head."""

from onchain_exec.app.engine.engine import Engine
from onchain_exec.app.engine.lane import DeskPath, Lane, Path, PriceSource
from onchain_exec.app.engine.opening import open_engine
from onchain_exec.app.engine.prices import MarketPrices
from onchain_exec.app.engine.request import ParentRequest
from onchain_exec.app.request import Request

__all__ = [
    "DeskPath",
    "Engine",
    "Lane",
    "MarketPrices",
    "ParentRequest",
    "Path",
    "PriceSource",
    "Request",
    "open_engine",
]
