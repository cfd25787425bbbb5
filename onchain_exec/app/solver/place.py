"""Where a solver settles: the contracts of its chain."""

from __future__ import annotations

from dataclasses import dataclass

from onchain_exec.app.deploy.blueprints import OWN
from onchain_exec.app.path.context import Context
from onchain_exec.app.path.routers import find_router
from onchain_exec.app.path.run import require_signer
from onchain_exec.clearing.settle import Domain
from onchain_exec.core import Address, Call, to_address
from onchain_exec.errors import ConfigError
from onchain_exec.routing.matching.solver_call import OWNER
from onchain_exec.venues.answer import decode_answer
from onchain_exec.venues.router import RouterDeployment


@dataclass(frozen=True, slots=True)
class SolverPlace:
    """The Settle contract as a domain, the ``solver``'s own contract that calls it, and the Router."""

    domain: Domain
    solver: Address
    router: RouterDeployment


def find_settle(context: Context) -> Domain:
    """Return the chain's Settle contract.

    Raises:
        ConfigError: the chain lists none.
    """
    return Domain(context.profile.chain_id, _require(context, "settle"))


async def find_place(context: Context) -> SolverPlace:
    """Return where the desk's account settles on the chain.

    Raises:
        ConfigError: a contract is not listed, or the solver's is owned by another account.
    """
    profile, account = context.profile, require_signer(context).address
    domain, solver, router = find_settle(context), _require(context, "solver"), find_router(profile)
    if router is None:
        raise ConfigError(
            f"the chain {profile.name} has no Router listed",
            needed="onchain_exec.router, and the PoolManager that it was built for",
            todo="`onchain-exec deploy` places it",
        )
    block = await context.node.get_block("latest")
    snapshot = await context.node.read_calls([Call(solver, OWNER.encode())], block)
    (owner,) = decode_answer(OWNER, solver, snapshot.answers[0])
    if to_address(owner) != account:
        raise ConfigError(
            f"the solver's contract {solver} is owned by {to_address(owner)}",
            needed=f"the account that settles, {account}",
            todo="Settle with its owner's key, or deploy one of your own",
        )
    return SolverPlace(domain, solver, router)


def _require(context: Context, role: str) -> Address:
    found = context.profile.get_contract(OWN, role)
    if found is None:
        raise ConfigError(
            f"the chain {context.profile.name} lists no {role} contract of ours",
            needed=f"{OWN}.{role} in its profile",
            todo="`onchain-exec deploy` places it, and lists it where every desk looks",
        )
    return found
