"""The call of the solver's own contract as a value, to calldata and back (``contracts/Solver.sol``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from onchain_exec.clearing.settle.batch import Batch, read_batch
from onchain_exec.clearing.settle.fill import FILL_TYPE
from onchain_exec.core import Address, to_address
from onchain_exec.core.abi import CustomError, Function
from onchain_exec.errors import InputError
from onchain_exec.venues.router import RouterCall
from onchain_exec.venues.router.codec import (
    HOPS_TYPE,
    TERMS_TYPE,
    decode_hop,
    decode_terms,
    get_hop_tuples,
    get_terms_tuple,
)

_BATCH: Final = f"(address[],uint128[],{FILL_TYPE}[],bytes[],(uint256,uint256)[])"
_SETTLE: Final = Function(
    f"settle({_BATCH},({TERMS_TYPE},{HOPS_TYPE})[],(uint256,uint256)[],address,uint256)"
)
OWNER: Final = Function("owner()", "(address)")

SOLVER_ERRORS: Final = (
    CustomError("NotOwner(address)", "Send it from the account that owns the solver's contract"),
    CustomError("NotSettle(address)", "Only the Settle contract it was built for calls it back"),
)
"""Give them to `decode_revert`, or to a `Node`, as ``errors``; the others are Settle's and the Router's."""


@dataclass(frozen=True, slots=True)
class Due:
    """``amount`` base units that the batch lacks, and that the solver brings."""

    token: Address
    amount: int


@dataclass(frozen=True, slots=True)
class SolverCall:
    """The arguments of ``Solver.settle``: the ``batch``, its advances swapped by ``swaps`` in their order,
    the ``dues`` paid out of that, and what is left, with the fees, sent to ``surplus_to``. Past
    ``deadline_at`` (unix seconds) it reverts."""

    batch: Batch
    swaps: tuple[RouterCall, ...]
    dues: tuple[Due, ...]
    surplus_to: Address
    deadline_at: int

    def encode(self) -> bytes:
        """Return the calldata.

        Raises:
            InputError: a token that is not in the batch, or a number beyond its type.
        """
        index = self.batch.tokens.index
        return _SETTLE.encode(
            self.batch.to_arguments(),
            [(get_terms_tuple(swap.terms), get_hop_tuples(swap.hops)) for swap in self.swaps],
            [(index(due.token), due.amount) for due in self.dues],
            self.surplus_to,
            self.deadline_at,
        )


def decode_solver_call(calldata: bytes, solver: Address) -> SolverCall:
    """Return what `SolverCall.encode` encoded for the contract ``solver``.

    Raises:
        InputError: other calldata, or one whose numbers name nothing.
    """
    batch, swaps, dues, surplus_to, deadline_at = _SETTLE.decode_arguments(calldata)
    read = read_batch(batch, solver)
    try:
        planned = tuple(
            RouterCall(decode_terms(*terms), tuple(decode_hop(*hop) for hop in hops)) for terms, hops in swaps
        )
    except ValueError as error:
        raise InputError(f"swaps of the router with {error}") from error
    paid = tuple(Due(read.tokens[index], amount) for index, amount in dues)
    return SolverCall(read, planned, paid, to_address(surplus_to), deadline_at)
