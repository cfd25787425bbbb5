"""A sandwich bot: what an attacker can take of a swap, found on the real contracts.

It knows nothing of the pools' arithmetic: it tries front-runs, the victim's own transaction and their
reversals on a chain in this process, each as a call of the real router, and keeps what left it most.
Point it at your strategy's transactions and assert that it goes home with nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from onchain_exec.app.sandbox.erc20 import approve, fund, get_balance
from onchain_exec.core import Address, Exact, Token, to_address
from onchain_exec.errors import RevertError
from onchain_exec.testing.evm import LocalEvm
from onchain_exec.venues import Hop, Leg, Pool, SwapTerms
from onchain_exec.venues.swap_router import SwapRouter, build_swap_call

ATTACKER: Final = to_address("0x" + "a7" * 20)
_PURSE: Final = 1 << 110
_FOREVER: Final = 1 << 63
_GOLDEN: Final = (5**0.5 - 1) / 2
_EXTRA_BITS: Final = 20


@dataclass(frozen=True, slots=True)
class Transaction:
    """What the victim sends."""

    sender: Address
    to: Address
    data: bytes


@dataclass(frozen=True, slots=True)
class Place:
    """A pool to front-run in, and in which direction. Of ``pool`` only its name is used, never its state;
    ``scale`` is an amount of token_in to begin the search around."""

    pool: Pool
    token_in: Token
    token_out: Token
    scale: int


@dataclass(frozen=True, slots=True)
class Loot:
    """What an attack came to: front-runs by place, what they left of the tokens' worth, in the unit of the
    bot's prices, and the gas of the attacker's own transactions."""

    amounts: tuple[int, ...]
    gross: Fraction
    gas_used: int


@dataclass(frozen=True, slots=True)
class SandwichBot:
    """An attacker with endless means on ``evm``, who swaps through ``router``.

    ``prices`` is what a base unit of each token is worth to him. He tries ``grid`` front-runs of each place
    between none and the most that lets the victim's transaction succeed, and narrows the best down in
    ``rounds`` golden sections; with several places, for every front-run of one those of the next.
    """

    evm: LocalEvm
    router: SwapRouter
    prices: Mapping[Token, Fraction]
    grid: int = 8
    rounds: int = 10

    def equip(self, tokens: Sequence[Token]) -> None:
        """Give the attacker tokens of the sandbox, and let the router take them."""
        for token in tokens:
            fund(self.evm, token, ATTACKER, _PURSE)
            approve(self.evm, token, ATTACKER, self.router.address)

    def find_best(self, victim: Transaction, places: Sequence[Place]) -> Loot:
        """Return the attack that leaves most, gas not counted; the chain is as before."""
        return self._search(victim, places, ())

    def play(self, victim: Transaction, places: Sequence[Place], amounts: Sequence[int]) -> Loot | None:
        """Return what these front-runs leave; None where the victim's transaction reverts, or the
        attacker's own. The chain is as before."""
        mark = self.evm.snapshot()
        try:
            return self._play(victim, places, amounts)
        except RevertError:
            return None
        finally:
            self.evm.revert(mark)

    def _lets_pass(self, victim: Transaction, places: Sequence[Place], amounts: Sequence[int]) -> bool:
        mark = self.evm.snapshot()
        try:
            self._open(victim, places, amounts)
        except RevertError:
            return False
        finally:
            self.evm.revert(mark)
        return True

    def _play(self, victim: Transaction, places: Sequence[Place], amounts: Sequence[int]) -> Loot:
        tokens = {token for place in places for token in (place.token_in, place.token_out)}
        before = {token: get_balance(self.evm, token, ATTACKER) for token in tokens}
        bought, gas_used = self._open(victim, places, amounts)
        for place, amount in reversed(bought):
            gas_used += self._swap(place.pool, place.token_out, place.token_in, amount)
        gross = sum(
            (get_balance(self.evm, token, ATTACKER) - had) * self.prices[token]
            for token, had in before.items()
        )
        return Loot(tuple(amounts), Fraction(gross), gas_used)

    def _open(
        self, victim: Transaction, places: Sequence[Place], amounts: Sequence[int]
    ) -> tuple[list[tuple[Place, int]], int]:
        """Front-run and let the victim trade; return what was bought where, and the gas."""
        bought, gas_used = [], 0
        for place, amount in zip(places, amounts, strict=False):
            if amount:
                had = get_balance(self.evm, place.token_out, ATTACKER)
                gas_used += self._swap(place.pool, place.token_in, place.token_out, amount)
                bought.append((place, get_balance(self.evm, place.token_out, ATTACKER) - had))
        self.evm.call(victim.sender, victim.to, victim.data)
        return bought, gas_used

    def _swap(self, pool: Pool, token_in: Token, token_out: Token, amount: int) -> int:
        """Swap, and return the gas."""
        leg = Leg((Hop(pool, token_in, token_out, amount, 0, 0),))
        terms = SwapTerms(Exact.IN, ATTACKER, _FOREVER, amount, 0)
        to, data, _ = build_swap_call((leg,), terms, self.router)
        self.evm.call(ATTACKER, to, data)
        return self.evm.gas_used

    def _search(self, victim: Transaction, places: Sequence[Place], chosen: tuple[int, ...]) -> Loot:
        if len(chosen) == len(places):
            return self.play(victim, places, chosen) or Loot((0,) * len(places), Fraction(0), 0)

        def lets_pass(amount: int) -> bool:
            return self._lets_pass(victim, places, (*chosen, amount))

        most = _find_most(lets_pass, places[len(chosen)].scale)
        return self._find_highest(lambda amount: self._search(victim, places, (*chosen, amount)), most)

    def _find_highest(self, attack: Callable[[int], Loot], most: int) -> Loot:
        tried = {most * part // self.grid: attack(most * part // self.grid) for part in range(self.grid + 1)}
        amounts = sorted(tried)
        best = max(range(len(amounts)), key=lambda index: tried[amounts[index]].gross)
        low, high = amounts[max(0, best - 1)], amounts[min(len(amounts) - 1, best + 1)]
        inner, outer = high - int((high - low) * _GOLDEN), low + int((high - low) * _GOLDEN)
        for _ in range(self.rounds):
            for amount in {inner, outer} - tried.keys():
                tried[amount] = attack(amount)
            if tried[inner].gross >= tried[outer].gross:
                high, outer, inner = outer, inner, outer - int((outer - low) * _GOLDEN)
            else:
                low, inner, outer = inner, outer, inner + int((high - inner) * _GOLDEN)
        return max(tried.values(), key=lambda loot: loot.gross)


def _find_most(holds: Callable[[int], bool], scale: int) -> int:
    """Return the largest amount that holds, to one part in 2**20."""
    low = max(1, scale)
    while low > 1 and not holds(low):
        low //= 4
    high = 4 * low
    while low < _PURSE and holds(high):
        low, high = high, 4 * high
    while high - low > max(1, low >> _EXTRA_BITS):
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
