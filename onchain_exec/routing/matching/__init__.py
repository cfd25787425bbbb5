"""Signed orders matched with one another and with the pools, for the most that their owners can gain."""

from onchain_exec.routing.matching.book import BookOrder
from onchain_exec.routing.matching.exact import MatchedFill
from onchain_exec.routing.matching.match import Match, find_match

__all__ = ["BookOrder", "Match", "MatchedFill", "find_match"]
