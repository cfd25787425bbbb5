"""The seeded sandbox in this process, our Router on it, and routes drawn over its real pools."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from eth_account import Account
from evm_reading import perform

from onchain_exec.app.sandbox import Deployment
from onchain_exec.app.sandbox.deploy.everything import deploy_everything
from onchain_exec.app.sandbox.erc20 import approve, get_balance
from onchain_exec.chain import decode_revert
from onchain_exec.core import (
    ZERO_ADDRESS,
    Address,
    BlockRef,
    Exact,
    Reading,
    Token,
    all_of,
    to_address,
)
from onchain_exec.errors import PoolRevertError, RevertError
from onchain_exec.testing.evm import LocalEvm
from onchain_exec.venues import Hop, Leg, Pool
from onchain_exec.venues.balancer.reads import read_balancer_pool
from onchain_exec.venues.permit2 import PERMIT2
from onchain_exec.venues.router import ROUTER_ERRORS, RouterDeployment
from onchain_exec.venues.swap_router import SwapTerms
from onchain_exec.venues.uniswap_v2 import read_v2_pool
from onchain_exec.venues.uniswap_v3 import read_v3_pool
from onchain_exec.venues.uniswap_v4 import UniswapV4Deployment, read_v4_pools
from onchain_exec.venues.vaults import read_wrapped_native

T = TypeVar("T")
CHAIN_ID = 1337
TRADER = Account.from_key("0x" + "07" * 32)
RECIPIENT = to_address("0x" + "ab" * 20)
NEVER = 2**63
ETHER = Token(CHAIN_ID, ZERO_ADDRESS, "ETH", 18)
BLOCK = BlockRef(CHAIN_ID, 1, "0x" + "0" * 64, 1_700_000_000, 0, 30_000_000)
_READS = {"uniswap_v2": read_v2_pool, "uniswap_v3": read_v3_pool}


@dataclass
class RouterMarket:
    """One chain; ``pools`` by key, as the models see them. Drawing a route moves them on."""

    evm: LocalEvm
    deployment: Deployment
    router: RouterDeployment
    trader: Address
    pools: dict[str, Pool] = field(default_factory=dict)

    @classmethod
    def deploy(cls) -> RouterMarket:
        evm, trader = LocalEvm(CHAIN_ID), to_address(TRADER.address)
        deployment = deploy_everything(evm, CHAIN_ID, trader)
        contracts = deployment.protocols
        built_for = (
            deployment.tokens["WETH"].address,
            contracts["uniswap_v4"]["pool_manager"],
            contracts["balancer_v2"]["vault"],
        )
        router = RouterDeployment(contracts["onchain_exec"]["router"], *built_for)
        evm.set_balance(trader, 10**21)
        for token in deployment.tokens.values():
            for spender in (router.address, PERMIT2):
                approve(evm, token, trader, spender)
        market = cls(evm, deployment, router, trader)
        market.pools = {pool.key: pool for pool in market._read_pools()}
        return market

    @property
    def tokens(self) -> list[Token]:
        return [*self.deployment.tokens.values(), ETHER]

    def _read_pools(self) -> Iterator[Pool]:
        for key in self.deployment.pools:
            kind, name = key.split(":")
            if kind != "uniswap_v4":
                yield self.perform(_READS.get(kind, read_balancer_pool)(to_address(name)))
        v4 = UniswapV4Deployment(self.router.pool_manager)
        pairs = [(one, other) for one in self.tokens for other in self.tokens if one.address < other.address]
        for found in self.perform(all_of([read_v4_pools(v4, *pair) for pair in pairs])):
            yield from found
        yield self.perform(read_wrapped_native(self.deployment.tokens["WETH"], "ETH"))

    def perform(self, reading: Reading[T]) -> T:
        """Run a described reading, state overrides included."""
        return perform(self.evm, reading)

    # Routes -----------------------------------------------------------------------------------------

    def draw_legs(
        self, rng: random.Random, exact: Exact, most_hops: int = 3, native: bool = True
    ) -> tuple[Leg, ...]:
        """Return one to three chains of hops between two tokens, quoted one after the other: a pool that
        two of them meet has moved in between. Without ``native`` ether is not one of the two."""
        ends = self.tokens if native else list(self.deployment.tokens.values())
        token_in, token_out = rng.sample(ends, 2)
        while most_hops == 1 and not any({token_in, token_out} <= {*p.tokens} for p in self.pools.values()):
            token_in, token_out = rng.sample(ends, 2)
        count, legs = rng.randint(1, 3), list[Leg]()
        while len(legs) < count:
            path = self._draw_path(rng, token_in, token_out)
            token = token_in if exact is Exact.IN else token_out
            usd = {"USDC": 10**6, "DAI": 10**18, "WBTC": 10**8 // 60_000}.get(token.symbol, 10**18 // 3_000)
            leg = 0 < len(path) <= most_hops and self._quote(
                path, usd * rng.randint(1, 20_000) + rng.randrange(1_000), exact
            )
            legs += [leg] if leg else []
        return tuple(legs)

    def _draw_path(
        self, rng: random.Random, token_in: Token, token_out: Token
    ) -> list[tuple[str, Token, Token]]:
        path, token, seen = list[tuple[str, Token, Token]](), token_in, {token_in}
        while token != token_out and len(path) < 3:
            steps = [
                (key, token, other)
                for key, pool in self.pools.items()
                if token in pool.tokens and all(key != passed for passed, _, _ in path)
                for other in pool.tokens
                if other not in seen
            ]
            if not steps:
                return []
            ends = [step for step in steps if step[2] == token_out]
            path.append(rng.choice(ends if ends and rng.random() < 0.5 else steps))
            token = path[-1][2]
            seen.add(token)
        return path if token == token_out else []

    def _quote(self, path: list[tuple[str, Token, Token]], amount: int, exact: Exact) -> Leg | None:
        moved, hops = dict(self.pools), list[Hop]()
        try:
            for key, token_in, token_out in path if exact is Exact.IN else path[::-1]:
                done = moved[key].swap(token_in, token_out, amount, exact)
                hops.append(
                    Hop(moved[key], token_in, token_out, done.amount_in, done.amount_out, done.fee_amount)
                )
                moved[key] = done.pool_after
                amount = done.amount_out if exact is Exact.IN else done.amount_in
        except PoolRevertError:
            return None
        self.pools = moved
        return Leg(tuple(hops if exact is Exact.IN else hops[::-1]))

    # Execution --------------------------------------------------------------------------------------

    def get_balance(self, token: Token, account: Address) -> int:
        if token.address == ZERO_ADDRESS:
            return self.evm.get_balance(account)
        return get_balance(self.evm, token, account)

    def run(self, call: tuple[Address, bytes, int], pair: tuple[Token, Token], sender: Address) -> Any:
        """Send a call; return what the trader gave and the recipient got, after the law of the router:
        it holds nothing."""
        token_in, token_out = pair
        before = self.get_balance(token_in, self.trader), self.get_balance(token_out, RECIPIENT)
        try:
            self.evm.call(sender, *call)
        except RevertError as error:
            raise decode_revert(error.data, ROUTER_ERRORS) from error
        for token in self.tokens:
            assert self.get_balance(token, self.router.address) == 0, token
        after = self.get_balance(token_in, self.trader), self.get_balance(token_out, RECIPIENT)
        return before[0] - after[0], after[1] - before[1]


def make_terms(legs: tuple[Leg, ...], exact: Exact, slack_bps: int = 0) -> SwapTerms:
    """Return terms as tight as the quotes, or looser on the side that is not exact."""
    amount_in, amount_out = sum(leg.amount_in for leg in legs), sum(leg.amount_out for leg in legs)
    if exact is Exact.IN:
        amount_out -= amount_out * slack_bps // 10_000
    else:
        amount_in += -(-amount_in * slack_bps // 10_000)
    return SwapTerms(exact, RECIPIENT, NEVER, amount_in, amount_out)


def get_pair(legs: tuple[Leg, ...]) -> tuple[Token, Token]:
    return legs[0].hops[0].token_in, legs[-1].hops[-1].token_out
