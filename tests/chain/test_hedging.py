"""Hedged reads: the tail stays within twice the usual time, and costs nothing where nothing stalls."""

import asyncio
import statistics
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_chain import CHAIN_ID, ModelChain, ModelEndpoint

from onchain_exec.chain import EndpointPool, Node, PoolPolicy, Reply, Request
from onchain_exec.chain.pool import Member
from onchain_exec.chain.pool.hedging import get_hedge_s
from onchain_exec.chain.pool.pace import Latency
from onchain_exec.testing.simulated import run_virtually

READS = 1_000
USUAL_S, STALL_S = 0.01, 0.5


class Stalling(ModelEndpoint):
    """An endpoint whose answers take an unequal time, and some of them half a second more."""

    def __init__(self, chain: ModelChain, name: str, unevenness: float) -> None:
        super().__init__(chain, name)
        self._random, self._unevenness, self.stalls = Random(name), unevenness, 0.0
        self.answered = 0

    async def batch(self, requests: Sequence[Request]) -> tuple[Reply, ...]:
        self.answered += 1
        stall_s = STALL_S if self._random.random() < self.stalls else 0.0
        self.latency_s = USUAL_S * (1 + self._unevenness * self._random.expovariate(1)) + stall_s
        return await super().batch(requests)


async def _read(stalls: float, unevenness: float, policy: PoolPolicy) -> tuple[float, float]:
    """Return p99 over p50 of single reads, and how many requests each of them took."""
    chain = ModelChain()
    chain.mine(5)
    endpoints = [Stalling(chain, name, unevenness) for name in "abc"]
    pool = EndpointPool([Member(endpoint) for endpoint in endpoints], chain_id=CHAIN_ID, policy=policy)
    block = await Node(pool, CHAIN_ID).get_block()
    for endpoint in endpoints:
        endpoint.stalls, endpoint.answered = stalls, 0
    clock, times = asyncio.get_running_loop(), []
    for _ in range(READS):
        begun = clock.time()
        await pool.batch([("eth_call", ({}, {"blockHash": block.hash}))])
        times.append(clock.time() - begun)
    await pool.close()
    cuts = statistics.quantiles(times, n=100)
    return cuts[98] / cuts[49], sum(endpoint.answered for endpoint in endpoints) / READS


@pytest.mark.parametrize(("stalls", "unevenness"), [(0.0, 0.1), (0.01, 0.02), (0.02, 0.02), (0.05, 0.1)])
def test_p99_of_endpoints_that_stall_is_at_most_twice_the_median(stalls: float, unevenness: float) -> None:
    _check_tail(stalls, unevenness)


@pytest.mark.deep
@pytest.mark.parametrize("stalls", [0.0, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05])
@pytest.mark.parametrize("unevenness", [0.0, 0.02, 0.05, 0.1])
def test_p99_of_endpoints_that_stall_more_or_less_is_at_most_twice_the_median(
    stalls: float, unevenness: float
) -> None:
    _check_tail(stalls, unevenness)


def _check_tail(stalls: float, unevenness: float) -> None:
    tail, requests_per_read = run_virtually(_read(stalls, unevenness, PoolPolicy()))
    assert tail <= 2
    assert requests_per_read < 2.5
    if not stalls:
        assert requests_per_read < 1.1


def test_reads_without_a_tail_to_keep_cost_little_and_take_longer() -> None:
    tail, requests_per_read = run_virtually(_read(0.02, 0.02, PoolPolicy(max_tail=None)))
    assert 2 < tail < 3
    assert requests_per_read < 1.2


LATENCIES = st.lists(st.floats(0.001, 10), min_size=1, max_size=80)


def _remember(times: list[float]) -> Latency:
    latency = Latency()
    for seconds in times:
        latency.add(seconds)
    return latency


@given(LATENCIES, LATENCIES, st.floats(0.5, 1), st.floats(1, 4))
def test_get_hedge_is_never_later_than_the_rule_nor_before_half_the_median(
    first: list[float], second: list[float], share: float, tail: float
) -> None:
    known, other = _remember(first), _remember(second)
    rule = get_hedge_s(known, other, share, None)
    assert rule == 1.1 * known.get_quantile(share)
    found = get_hedge_s(known, other, share, tail)
    assert min(rule, known.get_quantile(0.5) / 2) <= found <= rule
    if known.get_quantile(1.0) <= 0.95 * tail * known.get_quantile(0.5):
        assert found == rule, "nothing is late"
