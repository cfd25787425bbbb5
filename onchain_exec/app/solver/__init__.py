"""A solver of a book of signed orders: it matches them, settles them on chain, and tells the book."""

from onchain_exec.app.solver.lanes import cancel_lane
from onchain_exec.app.solver.opening import open_solver
from onchain_exec.app.solver.place import SolverPlace
from onchain_exec.app.solver.settling import SolverPolicy
from onchain_exec.app.solver.solver import Solver, Turn

__all__ = ["Solver", "SolverPlace", "SolverPolicy", "Turn", "cancel_lane", "open_solver"]
