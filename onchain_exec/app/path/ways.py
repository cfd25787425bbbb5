"""The ways an approved quote can go: one for each router, simulated side by side, the cheapest taken."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from onchain_exec.app.path.allowances import read_waiting
from onchain_exec.app.path.context import Context, Step
from onchain_exec.app.path.retrial import prove, prove_on_newer
from onchain_exec.app.path.routers import list_routers_of
from onchain_exec.core import Order, all_of
from onchain_exec.core.block import BlockRef
from onchain_exec.errors import EffectError, GasError, InputError, OnchainExecError, RevertError
from onchain_exec.execution import (
    Draft,
    Router,
    SimulatedTx,
    Sources,
    build_plan,
    complete,
    get_spender,
    list_accesses,
    rebase,
)
from onchain_exec.risk import AccountState, Approved, check
from onchain_exec.venues.erc20 import read_allowance, read_balances
from onchain_exec.venues.permit2 import PERMIT2


@dataclass(frozen=True, slots=True)
class Way:
    """A router, and the approval that counts the allowance which this router is paid by."""

    name: str
    router: Router
    approved: Approved


@dataclass(frozen=True, slots=True)
class Choice:
    """The router that fills the route for the least gas, the approvals it needs before included, beside
    what the others take and why some cannot. As text it is a line for people."""

    chosen: str
    gas_units: Mapping[str, int]
    excluded: Mapping[str, str]

    def __str__(self) -> str:
        ranked = sorted(self.gas_units, key=lambda name: (name != self.chosen, self.gas_units[name]))
        costs = [f"{name} {self.gas_units[name]:,} gas" for name in ranked]
        return "; ".join([*costs, *(f"not {name}: {why}" for name, why in self.excluded.items())])


async def read_accounts(context: Context, order: Order, block: BlockRef) -> Mapping[str, AccountState]:
    """Return what the order's account holds, with what each router may pull of it, by router."""
    spenders = {name: get_spender(router) for name, router in list_routers_of(context.profile, order).items()}
    readings = [read_allowance(order.token_in, order.account, spender) for spender in spenders.values()]
    balances, *allowances = await context.node.perform(
        all_of([read_balances(order.account, (order.token_in,)), *readings]), block
    )
    balance_wei = await context.node.get_balance(order.account, block)
    return {
        name: AccountState(
            *(block, order.account, balances[0], balance_wei, spender, allowance),
            waiting=read_waiting(context, order, spender),
        )
        for (name, spender), allowance in zip(spenders.items(), allowances, strict=True)
    }


async def find_ways(context: Context, approved: Approved) -> tuple[Way, ...]:
    """Return the approved way and those of the other routers that the limits approve as well."""
    quote, routers = approved.quote, list_routers_of(context.profile, approved.quote.order)
    ways = []
    for name, account in (await read_accounts(context, quote.order, quote.block)).items():
        is_own = account.spender == approved.account.spender
        terms = context.policy.limits, context.now(), approved.reference
        verdict = approved if is_own else check(quote, account, *terms)
        if isinstance(verdict, Approved):
            ways.append(Way(name, routers[name], verdict))
    return tuple(ways)


async def take_cheapest(context: Context, ways: tuple[Way, ...], sources: Sources) -> SimulatedTx:
    """Return the swap of the cheapest way, simulated on the newest block with all it depends on.

    Raises:
        RevertError, EffectError, GasError, InputError: what the first way fails with, if all do.
    """
    attempts = await asyncio.gather(*(_attempt(context, way, sources) for way in ways))
    found = dict(zip((way.name for way in ways), attempts, strict=True))
    able = {name: done for name, done in found.items() if isinstance(done, SimulatedTx)}
    failed = {name: error for name, error in found.items() if isinstance(error, OnchainExecError)}
    if not able:
        raise next(iter(failed.values()))
    gas_units = {name: _count_gas(simulated) for name, simulated in able.items()}
    chosen = min(able, key=lambda name: gas_units[name])
    try:
        simulated = await list_accesses(context.node, able[chosen], context.profile.gas_rules)
    except (EffectError, GasError) as error:
        simulated = await prove_on_newer(context, able[chosen].plan, error)
    gas_units[chosen] = _count_gas(simulated)
    choice = Choice(chosen, gas_units, {name: error.found for name, error in failed.items()})
    for step, made in ((Step.BUILT, simulated.plan), (Step.CHOSEN, choice), (Step.SIMULATED, simulated)):
        context.observe(step, made)
    return simulated


async def _attempt(context: Context, way: Way, sources: Sources) -> SimulatedTx | OnchainExecError:
    """Return the way's simulation, or why it cannot be gone; that the node fails is no answer.

    What goes through Permit2 is tried where Permit2 may pull enough already: a permit is not signed for
    a router that, with an approval before, is the dearest.
    """
    account, needed = way.approved.account, way.approved.quote.amount_in_max
    if account.spender == PERMIT2 and account.free_allowance < needed:
        return InputError("Permit2 may not pull the amount", needed="an approval of Permit2 that stands")
    try:
        draft = await complete(Draft(way.approved, way.router), sources)
        plan = rebase(build_plan(draft), await context.node.get_block("latest"))
        return await prove(context, plan)
    except (InputError, RevertError, EffectError, GasError) as error:
        return error


def _count_gas(simulated: SimulatedTx) -> int:
    return sum(step.gas_used for step in (*simulated.depends_on, simulated))
