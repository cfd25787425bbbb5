"""Routes and cycles as JSON documents and as drawings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, assert_never

from onchain_exec.cli.printing.output import print_facts, print_table, round_tokens
from onchain_exec.core import Exact, Token, format_tokens
from onchain_exec.routing import Arbitrage, BasketRoute, Certificate, Proof, Route, get_hop_shares
from onchain_exec.routing.proof import Closing, Fixing, Split, Step
from onchain_exec.venues import Hop

_BAR = 20


def route_to_json(found: Route) -> dict[str, Any]:
    """Return a route as a document; integers are strings."""
    return {
        "block_number": str(found.block.number),
        "amount_in": str(found.amount_in),
        "amount_out": str(found.amount_out),
        **_proven_to_json(found),
    }


def basket_route_to_json(found: BasketRoute) -> dict[str, Any]:
    """Return the route of a basket as a document; integers are strings, amounts by the tokens' addresses."""
    return {
        "block_number": str(found.block.number),
        "amounts_in": {token.address: str(amount) for token, amount in found.amounts_in.items()},
        "amounts_out": {token.address: str(amount) for token, amount in found.amounts_out.items()},
        **_proven_to_json(found),
    }


def _proven_to_json(found: Route | BasketRoute) -> dict[str, Any]:
    return {
        "bound": str(found.bound),
        "gap_bps": found.gap_bps,
        "gas_units": found.gas_units,
        "hops": hops_to_json(found.hops),
        **certificate_to_json(found.certificate),
    }


def arbitrage_to_json(token: Token, found: Arbitrage | None) -> dict[str, Any]:
    """Return cycles as a document; without any only that nothing is gained."""
    if found is None:
        return {"token": token.address, "profit": "0", "legs": []}
    return {
        "token": token.address,
        "block_number": str(found.block.number),
        "amount_in": str(found.amount_in),
        "profit": str(found.profit),
        "bound": str(found.certificate.bound),
        "gap_bps": found.gap_bps,
        "gas_units": found.gas_units,
        "legs": [hops_to_json(leg.hops) for leg in found.legs],
        **certificate_to_json(found.certificate),
    }


def hops_to_json(hops: Iterable[Hop]) -> list[dict[str, str]]:
    """Return hops as a document; integers are strings."""
    return [
        {
            "pool": hop.pool.key,
            "token_in": hop.token_in.address,
            "token_out": hop.token_out.address,
            "amount_in": str(hop.amount_in),
            "amount_out": str(hop.amount_out),
        }
        for hop in hops
    ]


def certificate_to_json(certificate: Certificate) -> dict[str, Any]:
    """Return the prices that prove a bound, what is left out of the proof, and the proof if there is one."""
    return {
        "prices": {token.address: price for token, price in certificate.prices.items()},
        "excluded": [{"pools": list(part.pools), "reason": part.reason} for part in certificate.excluded],
        **({} if certificate.proof is None else {"proof": proof_to_json(certificate.proof)}),
    }


def proof_to_json(proof: Proof) -> dict[str, Any]:
    """Return a proof as a document. An edge is the numbers of its pool and of its tokens in and out; a
    valuation has the tokens' prices in their order."""
    tokens = list(proof.valuations[0].prices)
    pools = sorted({edge.pool for edge in proof.edges})
    token_numbers = {token: number for number, token in enumerate(tokens)}
    pool_numbers = {pool: number for number, pool in enumerate(pools)}
    return {
        "worth": proof.worth,
        "tokens": [token.address for token in tokens],
        "pools": pools,
        "edges": [
            [pool_numbers[edge.pool], token_numbers[edge.token_in], token_numbers[edge.token_out]]
            for edge in proof.edges
        ],
        "valuations": [
            {
                "prices": list(valuation.prices.values()),
                "paid_before": {str(edge): amount for edge, amount in valuation.paid_before.items()},
                "paid_after": {str(edge): amount for edge, amount in valuation.paid_after.items()},
            }
            for valuation in proof.valuations
        ],
        "steps": [_step_to_json(step) for step in proof.steps],
    }


def _step_to_json(step: Step) -> dict[str, Any]:
    match step:
        case Fixing(valuation, on, off):
            return {"fix_at": valuation, "on": list(on), "off": list(off)}
        case Split(edge):
            return {"split": edge}
        case Closing(valuation):
            return {"close_at": valuation}
        case _:
            assert_never(step)


def print_route(found: Route) -> None:
    """Print a route: its amounts, its bound and gap, and the flow, hop by hop with its costs."""
    _print_proven(found, {found.token_in: found.amount_in}, {found.token_out: found.amount_out})
    print_table(
        "Flow",
        ("", "#Share", "Hop", "Pool", "#Fee", "#Impact"),
        [
            (
                "█" * max(1, round(share.share * _BAR)),
                f"{share.share:.2%}",
                f"{share.hop.token_in} → {round_tokens(share.hop.amount_out, share.hop.token_out)}",
                f"{share.hop.pool.kind} {share.hop.pool.key.partition(':')[2][:8]}…",
                f"{share.fee_bps:.2f} bps",
                f"{share.impact_bps:.2f} bps",
            )
            for share in get_hop_shares(found)
        ],
    )


def print_basket_route(found: BasketRoute) -> None:
    """Print the route of a basket: its amounts, its bound and gap, and its hops in the order they run."""
    _print_proven(found, found.amounts_in, found.amounts_out)
    print_table(
        "Hops",
        ("#In", "#Out", "Pool"),
        [
            (
                round_tokens(hop.amount_in, hop.token_in),
                round_tokens(hop.amount_out, hop.token_out),
                f"{hop.pool.kind} {hop.pool.key.partition(':')[2][:8]}…",
            )
            for hop in found.hops
        ],
    )


def _print_proven(
    found: Route | BasketRoute, amounts_in: Mapping[Token, int], amounts_out: Mapping[Token, int]
) -> None:
    (searched,) = amounts_out if found.exact is Exact.IN else amounts_in
    sides = (
        " + ".join(format_tokens(amount, token) for token, amount in amounts.items())
        for amounts in (amounts_in, amounts_out)
    )
    print_facts(
        " → ".join(sides),
        [
            ("bound", format_tokens(found.bound, searched)),
            ("gap", f"{found.gap_bps:.6f} bps"),
            ("gas", f"{found.gas_units:,} units"),
            *_excluded(found.certificate),
        ],
    )


def print_arbitrage(token: Token, found: Arbitrage | None) -> None:
    """Print cycles, each on a line, or that there are none."""
    if found is None:
        print_facts(f"No cycle of {token} gains after gas", [])
        return
    print_facts(
        f"{format_tokens(found.profit, token)} from cycles",
        [
            ("at most", format_tokens(found.certificate.bound, token)),
            ("gas", f"{found.gas_units:,} units"),
            *_excluded(found.certificate),
        ],
    )
    print_table(
        "Cycles",
        ("#In", "#Gain", "Through"),
        [
            (
                format_tokens(leg.amount_in, token),
                format_tokens(leg.amount_out - leg.amount_in, token),
                " → ".join([str(token), *(f"{hop.pool.address[:8]}… → {hop.token_out}" for hop in leg.hops)]),
            )
            for leg in found.legs
        ],
    )


def _excluded(certificate: Certificate) -> list[tuple[str, str]]:
    return [("not in the proof", f"{', '.join(part.pools)}: {part.reason}") for part in certificate.excluded]
