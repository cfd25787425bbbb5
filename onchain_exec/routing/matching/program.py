"""The best match in floats: a linear program whose pools are columns, added as its prices ask for them.

An order is a variable between nothing and all of it (0 or 1, where it must be whole), a pool a mixture of
trades on its curve; every token's account must not fall below zero. What is left of a token counts at its
reference price, as far as orders are filled whose owners can be given it. The program's prices tell each
pool its most profitable trade (the router's oracles), which becomes a column, and bound what any match can
gain, as they bound a route: Dantzig and Wolfe 1960. A mixture gives less than the curve itself, so what is
found can be had.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from onchain_exec.core import Address
from onchain_exec.errors import InputError
from onchain_exec.routing.matching.book import BookOrder
from onchain_exec.routing.matching.linear import LinearProgram, solve_linear, solve_whole
from onchain_exec.routing.oracles import FloatArray, IndexArray
from onchain_exec.routing.solver.network import Network

BoolArray: TypeAlias = NDArray[np.bool_]
_LIFTS: Final = (0.0, 1e-3, 1e-2)
"""How much more than at reference prices the output is worth in the first columns, in the log."""

_SETTLED: Final = 1e-7
_MOST_ROUNDS: Final = 40
_NOTHING: Final = 1e-12
_FILLING: Final = 1e-8
"""What a unit of value traded counts beside the gains: at no gain, orders that fit together are filled."""

_KEEPING: Final = 10.0
"""What a unit of a margin counts, or of what is missing: more than any trade that would use it up."""

_ROUNDING: Final = 1e-10
_DUST: Final = 1e-9
_MOST_GAIN: Final = 10.0
"""Of what an order buys, or sells, at reference prices: what its owner can be given beside its limit. Without
an end to it, a crumb of an order far off the price would take in any gain. One that buys an exact amount
can be spared as much of what it pays."""

_MOST_ALONE: Final = 8
"""Orders that must be whole and are looked at one by one."""

_MOST_SECONDS: Final = 1.0
"""What deciding the orders that must be whole may take; the best found then counts."""


@dataclass(frozen=True)
class Solution:
    """The share of each order's remainder, the pools' trades (edge, amount in), and what no match can gain
    more than, in units of the reference prices."""

    shares: FloatArray
    flows: tuple[tuple[int, float], ...]
    bound: float


@dataclass(frozen=True)
class _Columns:
    """Trades of edges: a row each, base units."""

    edge: IndexArray
    amount_in: FloatArray
    amount_out: FloatArray

    def __add__(self, other: _Columns) -> _Columns:
        return _Columns(
            np.concatenate((self.edge, other.edge)),
            np.concatenate((self.amount_in, other.amount_in)),
            np.concatenate((self.amount_out, other.amount_out)),
        )


@dataclass(frozen=True)
class _Answer:
    """What the program says: the orders' shares, what goes into each column, its value (both in units of a
    middling order), each token's price, and what room for a gain in it is worth."""

    shares: FloatArray
    weights: FloatArray
    value: float
    prices: FloatArray
    room: FloatArray


class Exchange:
    """A book and the pools of one block as one program. Its variables are values: what of an order is sold,
    what goes into a pool by a column, in units of a middling order."""

    def __init__(self, book: Sequence[BookOrder], network: Network, prices: Mapping[Address, float]) -> None:
        sides = (token for entry in book for token in (entry.order.token_in, entry.order.token_out))
        tokens = sorted({*sides, *(token.address for token in network.tokens)})
        if missing := [token for token in tokens if not 0 < prices.get(token, 0.0) < np.inf]:
            raise InputError(
                f"no reference price of {', '.join(missing)}",
                needed="one above zero, and no infinite one, for every token of the book and the pools",
            )
        number = {token: index for index, token in enumerate(tokens)}
        label = np.array([number[token.address] for token in network.tokens], np.intp)
        self._edges = network.edges.relabelled(label) if len(network.edges) else network.edges
        self._prices = np.array([prices[token] for token in tokens], float)
        self._whole = np.array([entry.must_fill for entry in book], bool)
        self._claims = np.array([number[entry.claims] for entry in book], np.intp)
        self._sells = np.array([number[entry.order.token_in] for entry in book], np.intp)
        self._buys = np.array([number[entry.order.token_out] for entry in book], np.intp)
        offered = self._prices[self._sells] * [float(entry.most_in) for entry in book]
        wanted = self._prices[self._buys] * [float(entry.least_out) for entry in book]
        exact_out = np.array([entry.order.is_exact_out for entry in book], bool)
        offered = np.where(exact_out, np.minimum(offered, (1 + _MOST_GAIN) * wanted), offered)
        self._unit = float(offered.mean()) if len(book) else 1.0
        self._size, self._limit = offered / self._unit, wanted / offered
        self._room = np.where(exact_out, 1.0, _MOST_GAIN * np.maximum(self._limit, 1.0))

    def solve(self) -> Solution:
        """Return the best match: with every order divisible for the bound, then with whole ones whole."""
        low, high = np.zeros(len(self._whole)), np.ones(len(self._whole))
        columns = self._price(np.log(self._prices), _LIFTS)
        answer, columns, bound = self._improve(columns, low, high)
        parted = self._whole & (np.minimum(answer.shares, 1 - answer.shares) > _SETTLED)
        if np.any(parted):
            answer, columns = self._make_whole(columns, answer.shares, parted)
        self._last = columns, *self._fix(answer.shares)
        return self._describe(answer, columns, bound * self._unit)

    def _make_whole(
        self, columns: _Columns, shares: FloatArray, parted: BoolArray
    ) -> tuple[_Answer, _Columns]:
        """Return the best answer in which what must be whole is. ``parted`` are the orders that the program
        would rather fill in part: the pools' trades for all of one, and for all of all, become columns before
        one chooses among the orders, and others at the prices of each choice."""
        each = np.eye(len(parted), dtype=bool)[parted][:_MOST_ALONE]
        for forced in (*each, parted) if len(self._edges) else ():
            low, high = np.where(forced, 1.0, 0.0), np.ones(len(parted))
            _, columns, _ = self._improve(columns, low, high, np.inf, _MOST_ROUNDS // 4)
        found: list[tuple[_Answer, _Columns]] = []
        for chosen in (None, np.where(parted, 1.0, shares), np.where(parted, 0.0, shares), None):
            decided = self._decide(columns) if chosen is None else chosen
            answer, columns, _ = self._improve(columns, *self._fix(decided))
            found.append((answer, columns))
        return max(found, key=lambda pair: pair[0].value)

    def _fix(self, shares: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the least and the most of each order's share, the whole ones as they are in ``shares``."""
        decided = np.round(shares)
        return np.where(self._whole, decided, 0.0), np.where(self._whole, decided, 1.0)

    def spare(self, found: Solution, margin: float) -> Solution:
        """Return the same match with ``margin`` of a middling order left over of every token that can have
        it, for rounding to use up."""
        columns, low, high = self._last
        return self._describe(self._ask(columns, low, high, 0.0, margin), columns, found.bound)

    def _describe(self, answer: _Answer, columns: _Columns, bound: float) -> Solution:
        whole = (1 - answer.shares) * self._size < _ROUNDING
        return Solution(np.where(whole, 1.0, answer.shares), self._flows(answer, columns), bound)

    def _improve(
        self,
        columns: _Columns,
        low: FloatArray,
        high: FloatArray,
        shortage: float = 0.0,
        rounds: int = _MOST_ROUNDS,
    ) -> tuple[_Answer, _Columns, float]:
        """Return the program's answer when no pool has a better trade at its prices, and the bound. With a
        ``shortage`` tokens may be missing, at a high price: what cannot be had yet then has prices too."""
        answer, bound = self._ask(columns, low, high, -shortage, 0.0), np.inf
        for _ in range(rounds):
            offered, profits = self._best_trades(answer.prices)
            ratio = answer.prices / self._prices
            gains = ratio[self._sells] - ratio[self._buys] * self._limit + _FILLING
            gains = self._size * (gains + self._room * answer.room[self._claims])
            most = float(np.maximum(gains * low, gains * high).sum() + profits.sum() / self._unit)
            bound = min(bound, most)
            if not len(offered.edge) or bound - answer.value <= _SETTLED * max(bound, _SETTLED):
                break
            columns += offered
            answer = self._ask(columns, low, high, -shortage, 0.0)
        return answer, columns, bound

    def _ask(
        self, columns: _Columns, low: FloatArray, high: FloatArray, least_margin: float, most_margin: float
    ) -> _Answer:
        tokens, trades = len(self._prices), len(columns.edge)
        endless, none = np.full(trades + tokens, np.inf), np.zeros(trades + tokens)
        least = np.concatenate((low * self._size, none, np.full(tokens, least_margin)))
        most = np.concatenate((high * self._size, endless, np.full(tokens, most_margin)))
        found = solve_linear(
            LinearProgram(self._worth(columns), self._constraints(columns), self._right(), least, most)
        )
        if found is None:  # whole orders that cannot be served together
            return _Answer(np.zeros_like(low), np.zeros(trades), -np.inf, self._prices, np.zeros(tokens))
        count = len(low)
        return _Answer(
            found.values[:count] / self._size,
            found.values[count : count + trades],
            found.worth,
            self._prices * np.maximum(found.prices[:tokens], _NOTHING),
            found.prices[tokens : 2 * tokens],
        )

    def _decide(self, columns: _Columns) -> FloatArray:
        """Return the shares with the whole orders whole."""
        from scipy.sparse import diags_array  # noqa: PLC0415 - it takes long to import

        count, others = len(self._whole), len(columns.edge) + 2 * len(self._prices)
        # in shares instead of values: what must be whole is then 0 or 1
        scale = np.concatenate((self._size, np.ones(others)))
        most = np.concatenate((np.ones(count), np.full(others, np.inf)))
        most[-len(self._prices) :] = 0.0
        program = LinearProgram(
            self._worth(columns) * scale,
            self._constraints(columns) @ diags_array(scale),
            self._right(),
            np.zeros_like(most),
            most,
        )
        found = solve_whole(program, np.flatnonzero(self._whole), _MOST_SECONDS, _SETTLED)
        return np.zeros(count) if found is None else found[:count]

    def _worth(self, columns: _Columns) -> FloatArray:
        """Return what a unit of each variable counts: of an order, of a column, of what owners are given of
        a token, of what is left over of it as a margin."""
        tokens = len(self._prices)
        return np.concatenate(
            (
                np.full(len(self._whole), _FILLING),
                np.zeros(len(columns.edge)),
                np.ones(tokens),
                np.full(tokens, _KEEPING),
            )
        )

    def _accounts(self, columns: _Columns) -> FloatArray:
        """Return what a unit of each variable brings of each token, in value."""
        count, trades = len(self._whole), len(columns.edge)
        accounts = np.zeros((len(self._prices), count + trades))
        orders, every = np.arange(count), count + np.arange(trades)
        accounts[self._sells, orders] += 1.0
        accounts[self._buys, orders] -= self._limit
        source, target = self._edges.source[columns.edge], self._edges.target[columns.edge]
        taken, given = columns.amount_in * self._prices[source], columns.amount_out * self._prices[target]
        accounts[source, every] -= 1.0
        accounts[target, every] += given / taken
        return accounts

    def _constraints(self, columns: _Columns) -> Any:
        """Return the rows: no token's account below what is given away and left of it; no more given away of
        it than those have room for who are filled; no pool traded more than once."""
        from scipy.sparse import block_array, coo_array, eye_array  # noqa: PLC0415 - see `_decide`

        tokens, count, trades = len(self._prices), len(self._whole), len(columns.edge)
        taken = columns.amount_in * self._prices[self._edges.source[columns.edge]] / self._unit
        mixed = coo_array(
            (1 / taken, (columns.edge, count + np.arange(trades))), (len(self._edges), count + trades)
        )
        room = coo_array((-self._room, (self._claims, np.arange(count))), (tokens, count + trades))
        one = eye_array(tokens)
        accounts = coo_array(-self._accounts(columns))
        rows = [[accounts, one, one], [room, one, None]]
        return block_array([*rows, [mixed, None, None]] if len(self._edges) else rows).tocsr()

    def _right(self) -> FloatArray:
        return np.concatenate((np.zeros(2 * len(self._prices)), np.ones(len(self._edges))))

    def _price(self, log_prices: FloatArray, lifts: Sequence[float]) -> _Columns:
        """Return the pools' most profitable trades, once for each lift."""
        parts = [self._trade(log_prices, lift) for lift in lifts]
        return self._drop_dust(_Columns(*(np.concatenate(rows) for rows in zip(*parts, strict=True))))

    def _drop_dust(self, columns: _Columns) -> _Columns:
        """Return the columns without trades that are nothing beside an order: no solver takes them."""
        kept = columns.amount_in * self._prices[self._edges.source[columns.edge]] > _DUST * self._unit
        return _Columns(columns.edge[kept], columns.amount_in[kept], columns.amount_out[kept])

    def _best_trades(self, prices: FloatArray) -> tuple[_Columns, FloatArray]:
        """Return the pools' most profitable trades at these prices, and what each earns there."""
        edge, amount_in, amount_out = self._trade(np.log(prices), 0.0)
        profits = prices[self._edges.target[edge]] * amount_out - prices[self._edges.source[edge]] * amount_in
        return self._drop_dust(_Columns(edge, amount_in, amount_out)), profits

    def _trade(self, log_prices: FloatArray, lift: float) -> tuple[IndexArray, FloatArray, FloatArray]:
        if not len(self._edges):
            return np.empty(0, np.intp), np.empty(0), np.empty(0)
        trade = self._edges.trade(log_prices, 0.0, lift)
        moves = trade.amount_in > 0
        return trade.which[moves], trade.amount_in[moves], trade.amount_out[moves]

    def _flows(self, answer: _Answer, columns: _Columns) -> tuple[tuple[int, float], ...]:
        amounts = answer.weights * self._unit / self._prices[self._edges.source[columns.edge]]
        total = np.bincount(columns.edge, amounts, len(self._edges))
        return tuple((edge, float(total[edge])) for edge in np.flatnonzero(total).tolist())
