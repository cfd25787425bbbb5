"""What the engine does next, as pure functions of the journal, the head and the time."""

from onchain_exec.oms.engine.care import Care, find_care
from onchain_exec.oms.engine.schedule import Begin, End, Move, Wait, get_limit_bound, kill, plan_next
from onchain_exec.oms.engine.terms import require_tradable

__all__ = [
    "Begin",
    "Care",
    "End",
    "Move",
    "Wait",
    "find_care",
    "get_limit_bound",
    "kill",
    "plan_next",
    "require_tradable",
]
