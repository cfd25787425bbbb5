"""Signed orders matched with one another and with the pools, for the most that their owners can gain."""

from typing import TYPE_CHECKING

from onchain_exec.lazy import load_when_asked

if TYPE_CHECKING:
    from onchain_exec.routing.matching.book import BookOrder
    from onchain_exec.routing.matching.exact import MatchedFill
    from onchain_exec.routing.matching.match import Match, find_match
    from onchain_exec.routing.matching.reconciliation import Mismatch, find_mismatches
    from onchain_exec.routing.matching.selection import find_prices, select_orders
    from onchain_exec.routing.matching.settlement import SolverTerms, build_settlement
    from onchain_exec.routing.matching.solve import Solved, solve
    from onchain_exec.routing.matching.solver_call import SOLVER_ERRORS, SolverCall, decode_solver_call

__all__ = [
    "SOLVER_ERRORS",
    "BookOrder",
    "Match",
    "MatchedFill",
    "Mismatch",
    "Solved",
    "SolverCall",
    "SolverTerms",
    "build_settlement",
    "decode_solver_call",
    "find_match",
    "find_mismatches",
    "find_prices",
    "select_orders",
    "solve",
]

load_when_asked(__name__)
