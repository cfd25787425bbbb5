"""The demo's voice: one short paragraph for each step of the path."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from onchain_exec.app.path.context import Step
from onchain_exec.cli.printing.output import tables
from onchain_exec.cli.printing.views import print_denial, print_quote
from onchain_exec.core import Exact, format_tokens
from onchain_exec.execution import Mined, Outcome, SimulatedTx, TxPlan
from onchain_exec.risk import Denied
from onchain_exec.routing import Route
from onchain_exec.venues import PoolSet


def narrate(step: Step, made: Any) -> None:
    """Print what ``step`` made."""
    if step is Step.QUOTED:
        print_quote(made)
    elif isinstance(made, Denied):
        print_denial(made)
    elif step in _TELL:
        label, tell = _TELL[step]
        tables.print(f"[bold cyan]{label:>9}[/]  {tell(made)}", highlight=False, soft_wrap=True)


def _pools(found: PoolSet) -> str:
    kinds = Counter(pool.kind for pool in found.pools)
    counts = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    return f"{len(found.pools)} at {found.block}: {counts}"


def _route(route: Route) -> str:
    better = "" if route.best_single_amount is None else _gain(route)
    return f"{len(route.legs)} legs over {len(route.hops)} pools{better}"


def _gain(route: Route) -> str:
    gain = route.amount_out - (route.best_single_amount or 0)
    if route.exact is Exact.OUT or not gain:
        return ""
    return f"; {format_tokens(gain, route.token_out)} more than the best single leg"


def _plan(plan: TxPlan) -> str:
    before = "".join(f"{step.purpose.value} first, then " for step in plan.depends_on)
    return (
        f"{before}{plan.purpose.value} to {plan.to}, {len(plan.data)} bytes, "
        f"max fee {plan.fees.max_fee_wei / 1e9:.3f} gwei per gas"
    )


def _simulated(simulated: SimulatedTx) -> str:
    return (
        f"{simulated.plan.purpose.value} succeeds with {simulated.gas_used:,} gas, "
        f"limit {simulated.gas_limit:,}; amount out {simulated.amount_out} base units"
    )


def _outcome(outcome: Outcome) -> str:
    if isinstance(outcome, Mined):
        receipt = outcome.receipt
        return (
            f"mined in block {receipt.block_number}, {receipt.gas_used:,} gas, {outcome.confirmations} deep"
        )
    return type(outcome).__name__


_TELL: Final[dict[Step, tuple[str, Callable[[Any], str]]]] = {
    Step.READ: ("pools", _pools),
    Step.ROUTED: ("route", _route),
    Step.CHECKED: (
        "check",
        lambda _: (
            "approved: tokens, deadline, age, bound, slippage, impact, notional, balance, gas, allowance"
        ),
    ),
    Step.BUILT: ("build", _plan),
    Step.CHOSEN: ("router", str),
    Step.SIMULATED: ("simulate", _simulated),
    Step.LEASED: ("nonce", str),
    Step.SIGNED: ("sign", lambda signed: f"{len(signed.raw)} bytes, hash {signed.tx_hash}"),
    Step.JOURNALLED: (
        "journal",
        lambda durable: f"{durable.purpose.value} bytes are durable",
    ),
    Step.SENT: ("send", lambda outcome: type(outcome).__name__),
    Step.INTENDED: ("intent", lambda view: f"{view.intent.digest} is durable"),
    Step.SHOWN: ("book", lambda view: f"{view.intent.answer} {view.intent.reason}".rstrip()),
    Step.CONFIRMED: ("confirm", _outcome),
}
