"""Proofs with gas over constant products, checked in 60-digit decimals that know nothing of the search."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal, localcontext
from functools import cache

from exact_dual import best_profit

from onchain_exec.routing.proof import Closing, Fixing, Split

HOP_GAS = 65_000
NONE, NOTHING = frozenset(), Decimal(0)
FLOATS = Decimal("1e-15")
"""Of all costs: the search adds them up in floats."""


class RefusedError(Exception):
    """The proof does not prove what it says."""


def require(holds, reason):
    if not holds:
        raise RefusedError(reason)


class Checker:
    """What an order owns (negative: owes) of tokens, which are sold and bought, and the pools. Routes that
    ``lead`` from one token to one other do not go round."""

    def __init__(self, proof, market, gas, owned, priced, leads=True):
        self.proof, self.gas, self.owned, self.priced = proof, gas, owned, priced
        self.pools = {pool.key: pool for pool in market.pools}
        self.sold = {token for token, amount in owned.items() if amount > 0} or {priced}
        self.bought = {token for token, amount in owned.items() if amount < 0} or {priced}
        self.ends = (*self.sold, *self.bought) if leads else None
        self.surplus = cache(self.find_surplus)

    def check(self):
        """Raise RefusedError unless no route over the proof's edges is worth more than it says."""
        with localcontext() as context:
            context.prec = 60
            cases = [(NONE, NONE)]
            for step in self.proof.steps:
                require(cases, "a step is left over")
                on, off = cases.pop()
                match step:
                    case Closing(at):
                        self.require_low(at, on, off)
                    case Split(edge):
                        cases += [(on, off | {edge}), (on | {edge}, off)]
                    case Fixing(at, fixed_on, fixed_off):
                        for edge in fixed_on:
                            self.require_low(at, on, off | {edge})
                        for edge in fixed_off:
                            self.require_low(at, on | {edge}, off)
                        cases.append((on | set(fixed_on), off | set(fixed_off)))
            require(not cases, "some routes are not covered")

    def require_low(self, at, on, off):
        require(not on & off, "an edge is both on and off")
        costs = len(self.proof.edges) * self.cost(
            Decimal(HOP_GAS * self.gas.price_wei + self.gas.hop_data_wei)
        )
        require(self.most(at, on, off) <= Decimal(self.proof.worth) + FLOATS * costs, "a case is worth more")

    def most(self, at, on, off):
        """What no route of the case is worth more than at the valuation numbered ``at``."""
        prices, surplus = self.proof.valuations[at].prices, self.surplus(at)
        total = sum((Decimal(prices[token]) * amount for token, amount in self.owned.items()), NOTHING)
        loss = {}
        for edge, earned in enumerate(surplus):
            if edge not in off:
                total += earned if edge in on else max(earned, NOTHING)
                loss[edge] = NOTHING if edge in on else max(-earned, NOTHING)
        return total - self.least_loss(loss, on) if self.ends else total

    def least_loss(self, loss, on):
        """What every route loses that uses the edges ``on``, and no edge without a loss."""
        before = self.spread(loss, self.ends[0], lambda edge: edge[1:])
        after = self.spread(loss, self.ends[1], lambda edge: edge[:0:-1])
        over = [
            before[self.proof.edges[edge].token_in] + after[self.proof.edges[edge].token_out] for edge in on
        ]
        return max([before[self.ends[1]], *over])  # an edge that is on loses nothing itself

    def spread(self, loss, start, ends):
        """The least loss of a way between ``start`` and each token."""
        least = defaultdict(lambda: Decimal("inf"), {start: NOTHING})
        changed = True
        while changed:
            changed = False
            for edge, lost in loss.items():
                tail, head = ends(self.proof.edges[edge])
                if least[tail] + lost < least[head]:
                    least[head], changed = least[tail] + lost, True
        return least

    def find_surplus(self, at):
        """What each edge earns at most after its cost and what edges pay one another."""
        valuation, edges = self.proof.valuations[at], self.proof.edges
        require(valuation.prices[self.priced] == 1, "the priced token is not the unit")
        require(all(price >= 0 for price in valuation.prices.values()), "a price below nothing")
        prices = {token.address: Decimal(price) for token, price in valuation.prices.items()}
        given = defaultdict(lambda: NOTHING)
        before, after = (
            defaultdict(lambda: NOTHING, {edge: Decimal(amount) for edge, amount in paid.items()})
            for paid in (valuation.paid_before, valuation.paid_after)
        )
        for edge, amount in before.items():
            token = edges[edge].token_in
            require(amount >= 0 and token not in self.sold | {self.priced}, "no edge is needed before")
            given["into", token] += amount
        for edge, amount in after.items():
            token = edges[edge].token_out
            require(amount >= 0 and token not in self.bought | {self.priced}, "no edge is needed after")
            given["out of", token] += amount
        gas_units = Decimal(HOP_GAS * self.gas.price_wei + self.gas.hop_data_wei)
        return [
            best_profit(self.pools[key], token_in, token_out, prices)[0]
            - self.cost(gas_units)
            - before[number]
            - after[number]
            + given["into", token_out]
            + given["out of", token_in]
            for number, (key, token_in, token_out) in enumerate(edges)
        ]

    def cost(self, wei):
        return wei * Decimal(self.gas.token_per_wei)
