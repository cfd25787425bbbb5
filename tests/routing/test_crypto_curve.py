"""CryptoSwap's closed curve against the contracts' own integers, over pools of every shape."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from random import Random

import pytest
from markets import A, C
from pool_kinds import E18, USDC, crypto_three
from test_oracles import edge_of, trade_at

from onchain_exec.core import Exact
from onchain_exec.errors import PoolRevertError
from onchain_exec.venues.curve import CryptoFlavour, CurveCryptoPool


def draw_pool(rng: Random, flavour: CryptoFlavour) -> CurveCryptoPool:
    """A pool of three tokens, pushed off its peg by swaps that took no fee and so stayed on its curve."""
    pool = replace(
        crypto_three(0),
        flavour=flavour,
        gamma=int(10 ** rng.uniform(11, 15.5)),
        ann=int(10 ** rng.uniform(4.5, 7.5)),
        mid_fee_e10=0,
        price_scale_wad=(E18, 2 * E18),
        balances=(10**12, 10**24, 5 * 10**23),
    )
    for pair, amount in (((USDC, A), rng.randint(10**6, 3 * 10**11)), ((C, USDC), rng.randint(E18, 10**23))):
        pool = replace(pool.swap(*pair, amount, Exact.IN).pool_after, moved=False)
    return replace(pool, mid_fee_e10=3 * 10**6, out_fee_e10=3 * 10**6)


@pytest.mark.parametrize("flavour", [CryptoFlavour.TRICRYPTO, CryptoFlavour.TRICRYPTO_NG])
def test_trade_of_random_pools_is_the_contracts_within_the_slack(flavour: CryptoFlavour, rng: Random) -> None:
    for _ in range(8):
        pool = draw_pool(rng, flavour)
        for pair in permutations(pool.tokens, 2):
            edge = edge_of(pool, *pair)
            _, trade = trade_at(edge, 10 ** rng.uniform(-5, 0))
            try:
                exact = pool.quote(*pair, int(trade.amount_in[0]), Exact.IN)
            except PoolRevertError:
                continue
            assert exact <= trade.amount_out[0] + edge.rounding[0]
            assert trade.amount_out[0] == pytest.approx(exact, rel=1e-5, abs=edge.rounding[0])
