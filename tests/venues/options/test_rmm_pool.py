"""RMM-01's curve and pools, beside the bytecode, on random states."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from random import Random
from statistics import NormalDist

import pytest
from eth_abi import decode
from evm_reading import perform
from hypothesis import given
from hypothesis import strategies as st
from rmm_chain import DAY, START, RmmChain

from onchain_exec.app.sandbox.artifacts import read_contract
from onchain_exec.app.sandbox.derivatives.primitive import PACKAGE
from onchain_exec.chain import decode_revert
from onchain_exec.core.abi import CustomError
from onchain_exec.errors import AmountError, InputError, NoPoolError, PoolRevertError, RevertError
from onchain_exec.venues.options.primitive import fixed_64
from onchain_exec.venues.options.primitive.fixed_64 import ONE_X64, divide_integers
from onchain_exec.venues.options.primitive.normal import get_cdf, get_inverse_cdf
from onchain_exec.venues.options.primitive.pool import Calibration, RmmPool
from onchain_exec.venues.options.primitive.reads import read_pool

ERRORS = (
    CustomError("InvariantError(int128,int128)"),
    CustomError("PoolExpiredError()"),
    CustomError("InverseOutOfBounds(int128)"),
    CustomError("ZeroLiquidityError()"),
)
TERMS = Calibration(2_000 * 10**6, 8_000, START + 30 * DAY, 9_985)


@pytest.fixture(scope="module")
def deployed() -> RmmChain:
    return RmmChain.start()


@pytest.fixture
def chain(deployed: RmmChain) -> Iterator[RmmChain]:
    mark, timestamp = deployed.evm.snapshot(), deployed.evm.timestamp
    yield deployed
    deployed.evm.revert(mark)
    deployed.evm.timestamp = timestamp


@pytest.mark.parametrize(
    "cases", [100, pytest.param(20_000, marks=[pytest.mark.deep, pytest.mark.timeout(3_600)])]
)
def test_normal_distribution_and_its_inverse_equal_the_library(
    chain: RmmChain, rng: Random, cases: int
) -> None:
    name = "TestCumulativeNormalDistribution"
    path = f"artifacts/contracts/test/libraries/{name}.sol/{name}.json"
    chain.primitive.deploy("normal", read_contract(PACKAGE, path))
    for _ in range(cases):
        x = int(rng.uniform(-7.9, 7.9) * ONE_X64)
        (answer,) = decode(("int128",), chain.primitive.ask("normal", "cdfX64", -x))
        assert get_cdf(x) == answer
        p = rng.choice((rng.random(), 10 ** -rng.uniform(0, 9), 1 - 10 ** -rng.uniform(0, 9)))
        p_wad = min(max(int(p * 1e18), 1), 10**18 - 1)
        (answer,) = decode(("int128",), chain.primitive.ask("normal", "inverseCDF", p_wad))
        assert get_inverse_cdf(divide_integers(p_wad, 10**18)) == answer


def check_swap(chain: RmmChain, pool: RmmPool, sells_risky: bool, amounts: tuple[int, int]) -> str:
    """Swap on chain and in the mirror; both refuse alike, or end in the same pool."""
    mark = chain.evm.snapshot()
    try:
        chain.swap(pool.pool_id, sells_risky, *amounts)
    except RevertError as error:
        reverted = decode_revert(error.data, ERRORS)
        with pytest.raises(PoolRevertError) as refused:
            pool.swap(sells_risky, *amounts)
        assert refused.value.reason == reverted.name
        chain.evm.revert(mark)
        return reverted.name
    assert chain.read(pool.pool_id) == pool.swap(sells_risky, *amounts)
    return "swapped"


@pytest.mark.parametrize(
    "cases", [12, pytest.param(1_000, marks=[pytest.mark.deep, pytest.mark.timeout(3_600)])]
)
def test_swaps_equal_the_bytecode_on_random_pools(chain: RmmChain, rng: Random, cases: int) -> None:
    outcomes = Counter[str]()
    for _ in range(cases):
        mark, timestamp = chain.evm.snapshot(), chain.evm.timestamp
        pool_id = chain.create_random(rng)
        for _ in range(4):
            chain.evm.timestamp += rng.choice((0, 12, DAY, rng.randrange(60 * DAY)))
            pool = chain.read(pool_id)
            sells_risky = rng.random() < 0.5
            reserve = pool.reserve_risky if sells_risky else pool.reserve_stable
            amount_in = max(1, int(reserve * 10 ** rng.uniform(-6, 0.3)))
            try:
                best = pool.get_amount_out(sells_risky, amount_in)
            except PoolRevertError:
                best = 1
            asked = max(1, rng.choice((best, best, best + 1, int(best * rng.uniform(0.9, 1.1)))))
            outcomes[check_swap(chain, pool, sells_risky, (amount_in, asked))] += 1
        chain.evm.revert(mark)
        chain.evm.timestamp = timestamp
    assert outcomes["swapped"] > cases
    assert outcomes["InvariantError"]


@pytest.mark.parametrize("sells_risky", [True, False])
def test_amount_out_is_the_last_that_the_chain_takes(chain: RmmChain, rng: Random, sells_risky: bool) -> None:
    pool_id = chain.create(TERMS, 5 * 10**17, 100 * 10**18)
    for _ in range(5):
        pool = chain.read(pool_id)
        unit = 10**18 if sells_risky else 2_000 * 10**6
        amount_in = int(unit * 10 ** rng.uniform(-3, 1))
        best = pool.get_amount_out(sells_risky, amount_in)
        assert check_swap(chain, pool, sells_risky, (amount_in, best + 1)) == "InvariantError"
        assert check_swap(chain, pool, sells_risky, (amount_in, best)) == "swapped"


def test_liquidity_equals_the_chain(chain: RmmChain, rng: Random) -> None:
    for _ in range(5):
        pool = chain.read(chain.create_random(rng))
        wanted = int(pool.liquidity * 10 ** rng.uniform(-6, 0))
        risky, stable, given = pool.allocate(wanted)
        assert given >= wanted
        chain.primitive.call(
            "router", "allocateFromExternal", pool.pool_id, chain.primitive.at["router"], risky, stable, b""
        )
        router = chain.primitive.at["router"]
        # the pool's creator, the router, has the rest but for the burnt minimum
        held = chain.read_account(pool.pool_id, router).liquidity
        assert pool.liquidity - 10 + given == held
        grown = chain.read(pool.pool_id)
        back = grown.remove(given)
        margin = chain.read_account(pool.pool_id, router)
        chain.primitive.call("router", "remove", pool.pool_id, given, b"")
        after = chain.read_account(pool.pool_id, router)
        moved = (after.margin_risky - margin.margin_risky, after.margin_stable - margin.margin_stable)
        assert moved == back


def test_pool_refuses_what_the_chain_refuses(chain: RmmChain) -> None:
    pool_id = chain.create(TERMS, 5 * 10**17, 100 * 10**18)
    pool = chain.read(pool_id)
    assert check_swap(chain, pool, True, (10**18, pool.reserve_stable + 1)) == "Panic"
    assert check_swap(chain, pool, True, (60 * 10**18, 1)) == "InverseOutOfBounds"
    with pytest.raises(AmountError):
        pool.swap(True, 0, 1)
    with pytest.raises(PoolRevertError, match="liquidity of 0"):
        pool.remove(0)
    with pytest.raises(PoolRevertError, match=f"at most the pool's {pool.liquidity}"):
        pool.remove(pool.liquidity + 1)
    with pytest.raises(AmountError):
        pool.allocate(0)
    chain.evm.timestamp = TERMS.maturity + 121
    expired = chain.read(pool_id)
    assert check_swap(chain, expired, True, (10**18, 1)) == "PoolExpiredError"
    with pytest.raises(PoolRevertError, match=r"matured 121 s ago; needed: at most 120 s"):
        expired.get_amount_out(True, 10**18)
    with pytest.raises(PoolRevertError, match="at most 0 s"):
        expired.allocate(1)


def test_read_of_an_unknown_pool_is_refused(chain: RmmChain) -> None:
    with pytest.raises(NoPoolError, match="has no pool"):
        chain.read(b"\1" * 32)
    with pytest.raises(InputError):
        perform(chain.evm, read_pool(chain.primitive.at["factory"], b"\1" * 32))


@given(p=st.floats(1e-6, 1 - 1e-6))
def test_quantile_is_near_the_true_one(p: float) -> None:
    assert get_inverse_cdf(int(p * ONE_X64)) / ONE_X64 == pytest.approx(NormalDist().inv_cdf(p), abs=2e-3)


@given(x=st.floats(-6, 6))
def test_distribution_is_near_the_true_one(x: float) -> None:
    assert get_cdf(int(x * ONE_X64)) / ONE_X64 == pytest.approx(NormalDist().cdf(x), abs=4e-3)


def test_price_follows_swaps(chain: RmmChain) -> None:
    pool = chain.read(chain.create(TERMS, 5 * 10**17, 100 * 10**18))
    dust = 10**14
    out = pool.get_amount_out(True, dust)
    received = out / 10**6 / (dust * 0.9985 / 10**18)
    assert received == pytest.approx(pool.get_price(), rel=1e-3)


@pytest.mark.parametrize(
    "compute",
    [
        lambda: fixed_64.mul(1 << 126, 1 << 126),
        lambda: fixed_64.div(1, 0),
        lambda: fixed_64.multiply_integer(-1, 1),
        lambda: fixed_64.sqrt(-1),
        lambda: fixed_64.ln(0),
        lambda: fixed_64.exp(64 << 64),
    ],
)
def test_number_outside_the_librarys_range_is_refused(compute: Callable[[], int]) -> None:
    with pytest.raises(PoolRevertError):
        compute()


def test_exponential_far_below_zero_is_zero() -> None:
    assert fixed_64.exp(-(65 << 64)) == fixed_64.exp(-(60 << 64)) == 0
