"""Curve pools on a chain: contracts that answer as the real ones were recorded to, and the real ones."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from itertools import groupby
from typing import Any

import pytest
from connected import connected
from curve_answers import GOLDEN, POOL, SEQUENCES, crypto_answers, make_tokens, peg_answers, stable_answers
from eth_abi import encode
from solidity import compile_source

from onchain_exec.app.pools import quote_pool, read_named_pools
from onchain_exec.app.sandbox.chain_evm import ChainEvm
from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.app.sandbox.sandbox import Sandbox
from onchain_exec.chain import Node
from onchain_exec.core import Address, BlockRef, Call, Exact, to_address
from onchain_exec.core.abi import Function
from onchain_exec.errors import InputError, NoPoolError
from onchain_exec.venues.curve import CurveCryptoPool, CurveStablePool, read_curve_pool
from onchain_exec.venues.pool_name import parse_pool_name

RECORD = Function("record(bytes[],bytes[])")
THREE_POOL = to_address("0xbEbc44782C7dB0a1A60Cb6fe97d0b483032FF1C7")
TRICRYPTO_2 = to_address("0xD51a44d3FaE010294C616388b506AcdA1bfAAE46")
# on Ethereum, as the repositories of their pools list them: stableswap-ng, tricrypto-ng, twocrypto-ng
FACTORIES = (
    to_address("0x6A8cbed756804B16E05E741eDaBd5cB544AE21bf"),
    to_address("0x0c0e5f2fF0ff18a3be9b835635039256dC4B4963"),
    to_address("0x98EE851a00abeE0d95D08cF4CA2BdCE32aeaAF7F"),
)
POOL_LIST = Function("pool_list(uint256)", "(address)")


def load(file: str) -> dict[str, Any]:
    entry = json.loads((GOLDEN / file).read_text())
    return entry | {"state": entry["state"] | {"address": POOL}}


def three_pool() -> tuple[Any, Mapping[Any, bytes], list[Any]]:
    entry = load("curve_3pool_answers.json")
    pool = CurveStablePool.from_json(entry["state"], make_tokens(entry["decimals"]))
    return pool, stable_answers({"source": "threepool"}, pool), entry["cases"]


def tricrypto() -> tuple[Any, Mapping[Any, bytes], list[Any]]:
    entry = load("curve_tricrypto_answers.json")
    pool = CurveCryptoPool.from_json(entry["state"], make_tokens(entry["decimals"]))
    return pool, crypto_answers(pool, pool.ann // 10_000), entry["cases"]


def newer(index: int) -> tuple[Any, Mapping[Any, bytes], list[Any]]:
    entry = SEQUENCES[index]
    pool = CurveCryptoPool.from_json({"address": POOL, **entry["state"]}, make_tokens(entry["decimals"]))
    _, side_in, side_out, amount, answer, _ = entry["swaps"][0]
    return pool, crypto_answers(pool, pool.ann) | peg_answers(pool), [(side_in, side_out, amount, answer)]


MAKERS = {
    "3pool": three_pool,
    "tricrypto": tricrypto,
    "tricrypto-ng": lambda: newer(0),
    "twocrypto-ng": lambda: newer(8),
}


def record(fork: Sandbox, answers: Mapping[tuple[Address, bytes], bytes]) -> None:
    evm = ChainEvm(fork.chain)
    made = evm.deploy(compile_source("tests/venues/curve/RecordedPool.sol"))
    code = bytes.fromhex(fork.chain.request("eth_getCode", made, "latest")[2:])
    for address, found in groupby(sorted(answers), key=lambda asked: asked[0]):
        calls = [calldata for _, calldata in found]
        evm.set_code(address, code)
        evm.call(DEPLOYER, address, RECORD.encode(calls, [answers[address, call] for call in calls]))


async def list_pools(node: Node, factories: tuple[Address, ...], block: BlockRef) -> list[Address]:
    """Return the first pools of each factory of newer pools."""
    asked = [Call(factory, POOL_LIST.encode(index)) for factory in factories for index in range(4)]
    snapshot = await node.read_calls(asked, block)
    found = [answer.data for answer in snapshot.answers if answer.success and answer.data]
    return [to_address(POOL_LIST.decode(data)[0]) for data in found]


@pytest.mark.parametrize("name", MAKERS)
async def test_quote_of_a_named_pool_equals_the_chains_recorded_answers(fork: Sandbox, name: str) -> None:
    pool, answers, cases = MAKERS[name]()
    record(fork, answers)
    node = await Node.connect(fork.url)
    try:
        for sides, found in groupby(cases, key=lambda case: case[:2]):
            asked = list(found)
            token_in, token_out = (pool.tokens[side].address for side in sides)
            amounts = [int(amount) for *_, amount, _ in asked]
            quotes = await quote_pool(node, parse_pool_name(pool.key), token_in, token_out, amounts)
            assert [str(quote.amount_out) for quote in quotes.quotes] == [answer for *_, answer in asked]
        dumped = await read_named_pools(node, [parse_pool_name(pool.key)], await node.get_block())
        assert dumped.pools[0].balances == pool.balances
    finally:
        await node.close()


@pytest.mark.fork
@pytest.mark.skipif("FORK_URL" not in os.environ, reason="FORK_URL names no node of Ethereum's main chain")
async def test_quotes_of_real_pools_equal_their_get_dy() -> None:
    async with connected(os.environ["FORK_URL"]) as node:
        assert await count_equal(node, (THREE_POOL, TRICRYPTO_2), FACTORIES) >= 6


async def test_the_same_check_counts_pools_that_answer_as_computed_and_passes_over_others(
    fork: Sandbox,
) -> None:
    pool, answers, _ = newer(0)
    function = Function("get_dy(uint256,uint256,uint256)", "(uint256)")
    for amount in list_amounts(pool):
        given = pool.quote(*pool.tokens[:2], amount, Exact.IN)
        answers = {**answers, (POOL, function.encode(0, 1, amount)): given.to_bytes(32)}
    for index, listed in enumerate((POOL, pool.tokens[0].address)):  # the second is no pool
        answers = {**answers, (FACTORIES[0], POOL_LIST.encode(index)): encode(["address"], [listed])}
    record(fork, answers)
    async with connected(fork.url) as node:
        assert await count_equal(node, (POOL,), FACTORIES) == 2


def list_amounts(pool: CurveStablePool | CurveCryptoPool) -> list[int]:
    return [pool.balances[0] // share + 1 for share in (7, 77, 777, 77_777)]


async def count_equal(node: Node, named: tuple[Address, ...], factories: tuple[Address, ...]) -> int:
    """Return how many pools, each quoting as its own ``get_dy``, there are of those named and listed;
    what is listed may be of another kind."""
    block = await node.get_block()
    equal = 0
    for address in (*named, *await list_pools(node, factories, block)):
        try:
            pool = await node.perform(read_curve_pool(address), block)
        except (InputError, NoPoolError):
            assert address not in named
            continue
        function, amounts = (
            Function(f"get_dy({pool.index},{pool.index},uint256)", "(uint256)"),
            list_amounts(pool),
        )
        calls = tuple(Call(address, function.encode(0, 1, amount)) for amount in amounts)
        told = [function.decode(answer.data)[0] for answer in (await node.read_calls(calls, block)).answers]
        quote = pool.quoter(pool.tokens[0], pool.tokens[1], Exact.IN)
        assert [quote(amount) for amount in amounts] == told
        equal += 1
    return equal
