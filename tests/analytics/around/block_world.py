"""Blocks with a trade of ours and others around it, on real contracts, and what it would have got alone."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import astuple, dataclass, field, replace
from itertools import count
from random import Random

from eth_abi import encode
from router_market import RECIPIENT, RouterMarket, get_pair, make_terms

from onchain_exec.analytics.around import BlockTx, WatchedTrade, find_surroundings
from onchain_exec.app.sandbox.erc20 import approve, fund
from onchain_exec.core import Address, Exact, Token, to_address
from onchain_exec.core.abi import Function
from onchain_exec.core.artifact import get_artifact
from onchain_exec.core.hashing import keccak
from onchain_exec.errors import OnchainExecError
from onchain_exec.oms.book.surroundings import Surroundings
from onchain_exec.venues import Hop, Leg, Pool
from onchain_exec.venues.router import RouterDeployment, build_router_call

TRANSFER = Function("transfer(address,uint256)", "(bool)")
NUMBERS = count(1)
CROWD = 9


@dataclass
class Town:
    """The market with a crowd of rich accounts, and a second contract that swaps. Made once."""

    market: RouterMarket
    crowd: tuple[Address, ...]
    other_router: RouterDeployment
    depths: dict[tuple[str, Token, Token], int] = field(default_factory=dict)

    @classmethod
    def settle(cls, market: RouterMarket) -> Town:
        router, protocols = market.router, market.deployment.protocols
        built_for = protocols["permit2"]["permit2"], *astuple(router)[1:]
        code = get_artifact("Router").bytecode + encode(["address"] * 4, built_for)
        address = market.evm.deploy(code)
        crowd = tuple(to_address(keccak(f"actor {number}".encode())[:20]) for number in range(CROWD))
        for account in (market.trader, *crowd):
            for token in market.deployment.tokens.values():
                fund(market.evm, token, account, 10 ** (token.decimals + 9))
                for spender in (router.address, address):
                    approve(market.evm, token, account, spender)
        return cls(market, crowd, replace(router, address=address))

    def get_depth(self, pool: Pool, token_in: Token, token_out: Token) -> int:
        """Return what moves a pool's price by 4 %."""
        key = pool.key, token_in, token_out
        if key not in self.depths:
            self.depths[key] = pool.depth(token_in, token_out, 400)
        return self.depths[key]


@dataclass
class Act:
    """A transaction that somebody sends."""

    sender: Address
    to: Address
    data: bytes
    tx_hash: str


@dataclass
class BlockWorld:
    """A block that grows; every `BlockWorld` begins with the same pools, and undoes itself."""

    town: Town
    rng: Random
    acts: list[Act] = field(default_factory=list)
    txs: list[BlockTx] = field(default_factory=list)
    our_hash: str = ""
    legs: tuple[Leg, ...] = ()
    exact: Exact = Exact.IN

    def __post_init__(self) -> None:
        self.market = self.town.market
        self.pools = dict(self.market.pools)
        self.strangers = self.rng.sample(self.town.crowd, CROWD)
        self._mark = self.market.evm.snapshot()

    def undo(self) -> None:
        """Bring the pools back to where they began; the world ends with that."""
        self.market.evm.revert(self._mark)

    # Actors -----------------------------------------------------------------------------------------

    def send(self, sender: Address, to: Address, data: bytes) -> BlockTx:
        tx_hash = "0x" + keccak(f"tx {next(NUMBERS)}".encode()).hex()
        self.acts.append(Act(sender, to, data, tx_hash))
        self.market.evm.call(sender, to, data)
        self.txs.append(BlockTx(len(self.txs), tx_hash, sender, to, 0, self.market.evm.logs))
        return self.txs[-1]

    def swap(
        self, sender: Address, hop: Hop, amount_in: int, *, to: Address | None = None, elsewhere: bool = False
    ) -> tuple[BlockTx, int]:
        """Swap an exact input in a hop's pool and direction, at any price; return what it gave, too."""
        leg = Leg((hop._replace(amount_in=amount_in, amount_out=1, fee_amount=0),))
        terms = replace(make_terms((leg,), Exact.IN), recipient=to or sender)
        router = self.town.other_router if elsewhere else self.market.router
        tx = self.send(sender, *build_router_call((leg,), terms, router)[:2])
        (fill,) = (fill for log in tx.logs if (fill := hop.pool.decode_fill(log)))
        return tx, fill.amount_out

    def cycle(self, sender: Address, hops: tuple[Hop, ...], amount_in: int) -> int:
        """Swap through hops that end where they begin; return what is gained by it."""
        token = hops[0].token_in
        taken = (amount_in, *(1 for _ in hops[1:]))  # each takes all that the one before it gives
        pairs = zip(hops, taken, strict=True)
        leg = Leg(tuple(hop._replace(amount_in=amount, amount_out=1, fee_amount=0) for hop, amount in pairs))
        terms = replace(make_terms((leg,), Exact.IN), recipient=sender, amount_in_max=amount_in)
        before = self.market.get_balance(token, sender)
        self.send(sender, *build_router_call((leg,), terms, self.market.router)[:2])
        return self.market.get_balance(token, sender) - before

    def hand_over(self, token: Token, sender: Address, receiver: Address, amount: int) -> BlockTx:
        return self.send(sender, token.address, TRANSFER.encode(receiver, amount))

    # Our trade --------------------------------------------------------------------------------------

    def draw_trade(self) -> None:
        """Choose our trade: one to three pools of a pair, or a path of two, each moved by some 2 to 8 %."""
        rng, exact = self.rng, self.rng.choice(tuple(Exact))
        usable = [pool for pool in self.pools.values() if self._is_plain(pool)]
        while True:
            first = rng.choice(usable)
            token_in, token_out = rng.sample(first.tokens, 2)
            alike = [pool for pool in usable if {token_in, token_out} <= set(pool.tokens)]
            chosen = rng.sample(alike, rng.randint(1, min(3, len(alike))))
            try:
                # of an exact output the Router fixes the amounts of a path's hops before
                if exact is Exact.IN and rng.random() < 0.4:
                    self.legs = (self._draw_path(first, token_in, token_out, usable),)
                else:
                    self.legs = tuple(self._quote([(pool, token_in, token_out)], exact) for pool in chosen)
            except (OnchainExecError, IndexError):
                continue
            self.exact = exact
            return

    def trade(self) -> None:
        """Send it, at any price."""
        call = build_router_call(self.legs, make_terms(self.legs, self.exact, 9_999), self.market.router)
        self.our_hash = self.send(self.market.trader, *call[:2]).tx_hash

    def _is_plain(self, pool: Pool) -> bool:
        return pool.kind != "wrapped_native" and all(token.symbol != "ETH" for token in pool.tokens)

    def _draw_path(self, first: Pool, token_in: Token, middle: Token, usable: list[Pool]) -> Leg:
        seconds = [
            (pool, token)
            for pool in usable
            for token in pool.tokens
            if middle in pool.tokens and token not in (middle, token_in) and pool is not first
        ]
        second, token_out = self.rng.choice(seconds)
        return self._quote([(first, token_in, middle), (second, middle, token_out)], Exact.IN)

    def _quote(self, path: list[tuple[Pool, Token, Token]], exact: Exact) -> Leg:
        pool, token_in, token_out = path[0] if exact is Exact.IN else path[-1]
        amount = self.town.get_depth(pool, token_in, token_out) * self.rng.randint(50, 200) // 100
        if exact is Exact.OUT:
            amount = pool.quote(token_in, token_out, amount, Exact.IN)
        hops = []
        for pool, token_in, token_out in path if exact is Exact.IN else path[::-1]:
            done = pool.swap(token_in, token_out, amount, exact)
            hops.append(Hop(pool, token_in, token_out, done.amount_in, done.amount_out, done.fee_amount))
            amount = done.amount_out if exact is Exact.IN else done.amount_in
        return Leg(tuple(hops if exact is Exact.IN else hops[::-1]))

    # What is found, and what is true ----------------------------------------------------------------

    def look(self) -> Surroundings:
        trade = WatchedTrade(self.our_hash, self.market.trader, self.exact)
        return find_surroundings(trade, "0x" + "00" * 32, self.txs, self.pools)

    def measure_loss(self, left_out: Collection[str]) -> int:
        """Return what we lost to these transactions, by running the block with and without them."""
        fact, without = self._run_without(()), self._run_without(left_out)
        return without - fact if self.exact is Exact.IN else fact - without

    def _run_without(self, left_out: Collection[str]) -> int:
        """Return what we get, or pay, without some of the transactions before ours."""
        market, (token_in, token_out) = self.market, get_pair(self.legs)
        self.undo()
        self._mark = market.evm.snapshot()
        for act in self.acts:
            if act.tx_hash in left_out:
                continue
            before = market.get_balance(token_in, market.trader), market.get_balance(token_out, RECIPIENT)
            market.evm.call(act.sender, act.to, act.data)
            if act.tx_hash == self.our_hash:
                spent = before[0] - market.get_balance(token_in, market.trader)
                got = market.get_balance(token_out, RECIPIENT) - before[1]
                return got if self.exact is Exact.IN else spent
        raise AssertionError("our trade is not in the block")
