"""UMA's long-short pairs: minted, traded, expired, disputed, settled; each library beside its mirror."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

import pytest
from eth_abi import decode
from evm_reading import perform

from onchain_exec.app.sandbox.deploy.tokens import deploy_token
from onchain_exec.app.sandbox.deploy.uniswap_v2 import deploy_uniswap_v2
from onchain_exec.app.sandbox.derivatives.deployed import Deployed
from onchain_exec.app.sandbox.derivatives.uma import (
    LIVENESS_S,
    PairTerms,
    create_pair,
    deploy_uma,
    settle_dispute,
)
from onchain_exec.app.sandbox.erc20 import approve, fund, get_balance
from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.core import Address, Call, Exact, Token
from onchain_exec.core.abi import Function
from onchain_exec.core.fixed_point import WAD
from onchain_exec.errors import (
    AmountError,
    InputError,
    PoolRefusedError,
    PoolRevertError,
    RevertError,
    UnsupportedOrderError,
)
from onchain_exec.testing.evm import LocalEvm
from onchain_exec.venues.options.market import OptionOrder, Position, SeriesState, Side
from onchain_exec.venues.options.uma.codec import (
    encode_create,
    encode_dispute,
    encode_expire,
    encode_propose,
    encode_settle,
)
from onchain_exec.venues.options.uma.market import CoveredCallMarket
from onchain_exec.venues.options.uma.pair import LongShortPair
from onchain_exec.venues.options.uma.reads import read_pair
from onchain_exec.venues.uniswap_v2 import UniswapV2Deployment
from onchain_exec.venues.uniswap_v2.reads import read_v2_pools

START = 1_700_000_000
EXPIRY = START + 30 * 86_400
SHARE = Function("percentageLongCollateralAtExpiry(int256)", "(uint256)")
ADD_LIQUIDITY = Function("addLiquidity(address,address,uint256,uint256,uint256,uint256,address,uint256)")
SWAP = Function("swapExactTokensForTokens(uint256,uint256,address[],address,uint256)", "(uint256[])")
CALL = PairTerms("CoveredCall", (2_000 * WAD,), EXPIRY, proposer_bond=10**16, proposer_reward=10**15)
KINDS = {
    "CoveredCall": (2_000 * WAD,),
    "BinaryOption": (2_000 * WAD,),
    "Linear": (3_000 * WAD, 1_000 * WAD),
    "FlooredLinear": (3_000 * WAD, -1_000 * WAD, WAD // 5),
    "RangeBond": (3_000 * WAD, 1_000 * WAD),
    "CappedYieldDollar": (1_000 * WAD,),
    "SuccessToken": (2_000 * WAD, WAD // 4),
    "SimpleSuccessToken": (2_000 * WAD,),
}


@dataclass(frozen=True)
class UmaChain:
    evm: LocalEvm
    uma: Deployed
    collateral: Token

    def create(self, terms: PairTerms) -> Address:
        """Create a pair that may take the deployer's collateral, as its oracle may."""
        pair = create_pair(self.uma, self.collateral, terms)
        for spender in (pair, self.uma.at["OptimisticOracleV2"]):
            approve(self.evm, self.collateral, DEPLOYER, spender)
        return pair

    def read(self, pair: Address) -> LongShortPair:
        return perform(self.evm, read_pair(pair))

    def run(self, call: Call) -> bytes:
        assert call.to is not None
        return self.evm.call(DEPLOYER, call.to, call.data)

    def get_balances(self, pair: LongShortPair) -> tuple[int, ...]:
        tokens = (pair.collateral, pair.long_token, pair.short_token)
        return tuple(get_balance(self.evm, token, DEPLOYER) for token in tokens)


@pytest.fixture(scope="module")
def deployed() -> UmaChain:
    evm = LocalEvm(timestamp=START)
    collateral = deploy_token(evm, 1337, "WETH9", 18)
    fund(evm, collateral, DEPLOYER, 10**24)
    return UmaChain(evm, deploy_uma(evm, collateral), collateral)


@pytest.fixture
def chain(deployed: UmaChain) -> Iterator[UmaChain]:
    mark, timestamp = deployed.evm.snapshot(), deployed.evm.timestamp
    yield deployed
    deployed.evm.revert(mark)
    deployed.evm.timestamp = timestamp


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "prices", [30, pytest.param(1_000, marks=[pytest.mark.deep, pytest.mark.timeout(3_600)])]
)
def test_library_is_recognised_and_shares_as_it_does(
    chain: UmaChain, rng: Random, kind: str, prices: int
) -> None:
    pair = chain.read(chain.create(PairTerms(kind, KINDS[kind], EXPIRY)))
    assert type(pair.payout).__name__ == kind
    library = chain.uma.at[kind]
    for _ in range(prices):
        price = int(rng.choice((-1, 1, 1, 1)) * 10 ** rng.uniform(0, 24))
        answer = chain.evm.static_call(library, SHARE.encode(price), pair.address)
        assert SHARE.decode(answer) == (pair.payout.get_long_share_wad(price),)


@pytest.mark.parametrize(
    "cases", [10, pytest.param(1_000, marks=[pytest.mark.deep, pytest.mark.timeout(3_600)])]
)
def test_minting_redeeming_and_settling_equal_the_chain(chain: UmaChain, rng: Random, cases: int) -> None:
    for _ in range(cases):
        mark, timestamp = chain.evm.snapshot(), chain.evm.timestamp
        kind = rng.choice(tuple(KINDS))
        per_pair = int(10 ** rng.uniform(14, 20))
        address = chain.create(PairTerms(kind, KINDS[kind], EXPIRY, per_pair))
        pair, minted = chain.read(address), int(10 ** rng.uniform(0, 20))
        before = chain.get_balances(pair)
        chain.run(encode_create(pair, minted))
        after = chain.get_balances(pair)
        assert [now - then for then, now in zip(before, after, strict=True)] == [
            -pair.create(minted),
            minted,
            minted,
        ]
        redeemed = rng.randrange(1, minted + 1)
        (returned,) = decode(
            ("uint256",), chain.evm.static_call(address, chain.uma.encode("pair", "redeem", redeemed))
        )
        assert pair.redeem(redeemed) == returned
        chain.evm.timestamp = EXPIRY
        pair = chain.read(address)
        chain.run(encode_expire(pair))
        price = int(rng.choice((-1, 1, 1, 1)) * 10 ** rng.uniform(18, 23))
        chain.run(encode_propose(pair, price))
        chain.evm.timestamp += LIVENESS_S
        pair = chain.read(address)
        long, short = rng.randrange(minted + 1), rng.randrange(minted + 1)
        (paid,) = decode(("uint256",), chain.run(encode_settle(pair, long, short)))
        assert pair.settle(long, short) == paid
        settled = chain.read(address)
        assert settled.long_share_wad == pair.get_long_share_wad()
        assert settled.settle(long, short) == paid
        chain.evm.revert(mark)
        chain.evm.timestamp = timestamp


def test_covered_call_is_minted_sold_in_a_pool_expired_proposed_and_settled(chain: UmaChain) -> None:
    pair = chain.read(chain.create(CALL))
    market = CoveredCallMarket(pair, 2_000 * WAD, WAD // 10)
    (series,) = market.series
    minted = market.preview(OptionOrder(series, Side.SHORT, 100 * WAD))
    for call in market.encode(minted, slippage_bps=0):
        chain.run(call)
    assert [flow.amount for flow in minted.flows] == [100 * WAD, -100 * WAD, -100 * WAD]
    assert (market.get_state(series), market.get_forward(series)) == (SeriesState.OPEN, 2_000)
    assert market.get_collateral_min(minted.order) == 100 * WAD
    redeemed = market.preview(OptionOrder(series, Side.SHORT, 10 * WAD, is_close=True))
    before = chain.get_balances(pair)
    for call in market.encode(redeemed, slippage_bps=0):
        chain.run(call)
    moved = [then - now for then, now in zip(before, chain.get_balances(pair), strict=True)]
    assert moved == [flow.amount for flow in redeemed.flows]
    chain.run(encode_create(pair, 10 * WAD))

    # the long tokens get a pool, and the writer sells some of them into it
    v2 = deploy_uniswap_v2(chain.evm, chain.collateral.address)
    for token in (pair.long_token, pair.collateral):
        approve(chain.evm, token, DEPLOYER, v2["router"])
    tokens = (pair.long_token.address, pair.collateral.address)
    seeded = ADD_LIQUIDITY.encode(*tokens, 50 * WAD, 4 * WAD, 0, 0, DEPLOYER, 2**63)
    chain.evm.call(DEPLOYER, v2["router"], seeded)
    pools = read_v2_pools(UniswapV2Deployment(v2["factory"]), pair.long_token, pair.collateral)
    (pool,) = perform(chain.evm, pools)
    quoted = pool.quoter(pair.long_token, pair.collateral, Exact.IN)(WAD)
    sold = SWAP.encode(WAD, 0, list(tokens), DEPLOYER, 2**63)
    assert SWAP.decode(chain.evm.call(DEPLOYER, v2["router"], sold))[0][-1] == quoted
    market = CoveredCallMarket(pair, 2_000 * WAD, quoted)
    assert 6 * WAD < 10 * market.get_vol_wad(series) < 8 * WAD
    assert market.get_greeks(series).price == pytest.approx(2_000 * quoted / WAD)

    chain.evm.timestamp = EXPIRY
    market = CoveredCallMarket(chain.read(pair.address), 2_500 * WAD, quoted)
    held = Position(0, DEPLOYER, series, Side.SHORT, 100 * WAD)
    assert market.get_state(series) is SeriesState.EXPIRED
    (expire,) = market.encode_settlement((held,))
    chain.run(expire)
    pair = chain.read(pair.address)
    chain.run(encode_propose(pair, 2_500 * WAD))
    market = CoveredCallMarket(chain.read(pair.address), 2_500 * WAD, quoted)
    assert market.encode_settlement((held,)) == ()
    with pytest.raises(PoolRevertError, match=rf"is proposed; .* Wait until {EXPIRY + LIVENESS_S}"):
        market.preview_settlement(held)

    chain.evm.timestamp += LIVENESS_S
    market = CoveredCallMarket(chain.read(pair.address), 2_500 * WAD, quoted)
    (flow,) = market.preview_settlement(held)
    assert flow.amount == -80 * WAD  # 100 pairs less (2,500 - 2,000) / 2,500 of them
    before = chain.get_balances(pair)
    for call in market.encode_settlement((held,)):
        chain.run(call)
    back = CALL.proposer_bond + CALL.proposer_reward  # to the proposer, who is the same account
    assert chain.get_balances(pair)[0] - before[0] == 80 * WAD + back


def test_disputed_price_settles_when_the_vote_has_decided(chain: UmaChain) -> None:
    pair = chain.read(chain.create(CALL))
    chain.run(encode_create(pair, WAD))
    chain.evm.timestamp = EXPIRY
    chain.run(encode_expire(pair))
    chain.run(encode_propose(pair, 9_000 * WAD))
    chain.run(encode_dispute(pair))
    with pytest.raises(PoolRevertError, match="is disputed"):
        chain.read(pair.address).settle(WAD, 0)
    settle_dispute(chain.uma, pair.address, EXPIRY, 2_500 * WAD)
    (paid,) = decode(("uint256",), chain.run(encode_settle(pair, WAD, 0)))
    assert paid == WAD // 5 == chain.read(pair.address).settle(WAD, 0)


def test_pair_refuses_what_the_chain_refuses(chain: UmaChain) -> None:
    pair = chain.read(chain.create(CALL))
    chain.run(encode_create(pair, WAD))
    with pytest.raises(PoolRevertError, match="expires in 2592000 s"):
        pair.settle(WAD, 0)
    with pytest.raises(RevertError, match="Cannot settle"):
        chain.run(encode_settle(pair, WAD, 0))
    with pytest.raises(AmountError):
        pair.create(0)
    chain.evm.timestamp = EXPIRY + 7
    expired = chain.read(pair.address)
    with pytest.raises(PoolRevertError, match="expired 7 s ago"):
        expired.create(1)
    with pytest.raises(RevertError, match="Only callable pre-expiry"):
        chain.run(encode_create(pair, 1))
    with pytest.raises(PoolRevertError, match=r"is invalid; .* Expire the pair"):
        expired.settle(WAD, 0)
    chain.run(encode_expire(pair))
    with pytest.raises(PoolRevertError, match=f"Propose a price with a bond of {10**16}"):
        chain.read(pair.address).settle(WAD, 0)


def test_market_refuses_what_it_is_not(chain: UmaChain) -> None:
    pair = chain.read(chain.create(CALL))
    market = CoveredCallMarket(pair, 2_000 * WAD, WAD // 10)
    with pytest.raises(UnsupportedOrderError, match="long side"):
        market.preview(OptionOrder(market.series[0], Side.LONG, WAD))
    binary = chain.read(chain.create(PairTerms("BinaryOption", KINDS["BinaryOption"], EXPIRY)))
    with pytest.raises(UnsupportedOrderError, match="BinaryOption"):
        CoveredCallMarket(binary, 2_000 * WAD, WAD)


def test_read_of_no_pair_or_of_a_library_without_parameters_is_refused(chain: UmaChain) -> None:
    with pytest.raises(InputError):
        chain.read(chain.collateral.address)
    with pytest.raises(PoolRefusedError, match=r"not known; .* parameters set"):
        chain.read(chain.create(PairTerms("CoveredCall", (), EXPIRY)))


def test_read_of_a_pair_that_is_asked_to_expire_early_is_refused(chain: UmaChain) -> None:
    address = chain.create(replace(CALL, may_expire_early=True))
    assert chain.read(address).expiry_at == EXPIRY
    chain.uma.call("pair", "requestEarlyExpiration", START)
    with pytest.raises(PoolRefusedError, match=f"expire at {START} already"):
        chain.read(address)
