"""Discovery: on the sandbox, the pools of a pair are those that its deployment made of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import combinations
from pathlib import Path

import pytest
from cli_runner import Cli

from onchain_exec.app.pools.discovery import PROTOCOLS, find_pools, rank_pools
from onchain_exec.app.pools.reading import read_named_pools
from onchain_exec.app.sandbox.sandbox import Sandbox
from onchain_exec.chain import Node
from onchain_exec.core import ZERO_ADDRESS, to_address
from onchain_exec.venues.pool_name import parse_pool_name

NOBODY = to_address("0x" + "ab" * 20)


@pytest.fixture
async def node(local_chain: Sandbox) -> AsyncIterator[Node]:
    node = await Node.connect(local_chain.url)
    yield node
    await node.close()


async def test_find_pools_of_every_pair_are_those_deployed(local_chain: Sandbox, node: Node) -> None:
    deployment, block = local_chain.deployment, await node.get_block()
    names = [parse_pool_name(key) for key in deployment.pools]
    deployed = (await read_named_pools(node, names, block)).pools
    weth = deployment.tokens["WETH"].address
    for pair in combinations(deployment.tokens.values(), 2):
        sides = {token.address for token in pair}
        wanted = {
            pool.key
            for pool in deployed
            if sides <= {weth if token.address == ZERO_ADDRESS else token.address for token in pool.tokens}
        }
        found = await find_pools(node, local_chain.profile, [pair], block)
        assert {pool.key for pool in found} - {f"wrapped_native:{weth}"} == wanted
        ranked = rank_pools(local_chain.profile, found, *pair)
        assert {one.pool.key for one in ranked} == wanted
        assert [one.depth for one in ranked] == sorted((one.depth for one in ranked), reverse=True)


async def test_find_pools_of_some_protocols_leaves_out_the_others(local_chain: Sandbox, node: Node) -> None:
    tokens, block = local_chain.deployment.tokens, await node.get_block()
    pair = (tokens["WETH"], tokens["USDC"])
    everything = {pool.key for pool in await find_pools(node, local_chain.profile, [pair], block)}
    parts = [
        {pool.key for pool in await find_pools(node, local_chain.profile, [pair], block, [protocol])}
        for protocol in PROTOCOLS
    ]
    assert all(parts)
    assert set.union(*parts) == everything


def test_find_command_lists_the_deepest_first(local_chain: Sandbox, tmp_path: Path) -> None:
    cli = Cli(local_chain.url, tmp_path / "journal.sqlite")
    found = cli.json("pools", "find", "--sell", "WETH", "--buy", "USDC")
    depths = [int(one["depth_1_percent"]) for one in found]
    assert depths == sorted(depths, reverse=True)
    assert {one["pool"].split(":")[0] for one in found} >= {"uniswap_v2", "uniswap_v3", "uniswap_v4"}
    assert "uniswap_v3" in cli.run("pools", "find", "--sell", "WETH", "--buy", "USDC").stdout
    assert cli.json("pools", "find", "--sell", "WETH", "--buy", NOBODY, expect=2)["error"]["code"] == (
        "UnknownTokenError"
    )
