"""Tokens that misbehave are refused by what they do in a simulation, whatever they say."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from chain_facts import deploy_token, send
from solidity import compile_source

from onchain_exec import Desk
from onchain_exec.app.pools.balance_watch import BalanceWatch
from onchain_exec.app.sandbox.sandbox import Sandbox
from onchain_exec.chain import Node
from onchain_exec.core import Token, to_address
from onchain_exec.core.abi import Function
from onchain_exec.errors import TokenRefusedError
from onchain_exec.venues.token_probe import require_plain_token

_MINT = Function("mint(address,uint256)")
_SET_FEE = Function("setTransferFeeBps(uint256)")
_SET_PAUSED = Function("setPaused(bool)")
_REBASE = Function("rebase(uint256)")
NOBODY = to_address("0x" + "9b" * 20)
POOL = to_address("0x" + "9a" * 20)


@pytest.fixture
async def node(fork: Sandbox) -> AsyncIterator[Node]:
    node = await Node.connect(fork.url)
    yield node
    await node.close()


@pytest.fixture
def token(fork: Sandbox) -> Token:
    address = deploy_token(fork, "TEST")
    send(fork, address, _MINT.encode(POOL, 10**24))
    return Token(fork.chain.chain_id, address, "TEST", 18)


async def _probe(node: Node, token: Token) -> None:
    await node.perform(require_plain_token(token, [NOBODY, POOL]), await node.get_block())


async def test_require_plain_token_of_a_plain_token_passes_and_moves_nothing(
    node: Node, token: Token
) -> None:
    await _probe(node, token)
    await _probe(node, token)


@pytest.mark.parametrize("fee_bps", [1, 100, 10_000])
async def test_require_plain_token_of_a_fee_on_transfer_refuses(
    fork: Sandbox, node: Node, token: Token, fee_bps: int
) -> None:
    send(fork, token.address, _SET_FEE.encode(fee_bps))
    with pytest.raises(TokenRefusedError, match="arrived"):
        await _probe(node, token)


async def test_require_plain_token_of_a_paused_token_refuses(fork: Sandbox, node: Node, token: Token) -> None:
    send(fork, token.address, _SET_PAUSED.encode(True))
    with pytest.raises(TokenRefusedError, match="cannot be moved"):
        await _probe(node, token)


async def test_require_plain_token_of_an_empty_holder_refuses(fork: Sandbox, node: Node) -> None:
    token = Token(fork.chain.chain_id, deploy_token(fork, "NONE"), "NONE", 18)
    with pytest.raises(TokenRefusedError, match="too little"):
        await _probe(node, token)


async def test_require_plain_token_of_the_sandbox_s_tokens_in_their_pools_passes(
    fork: Sandbox, node: Node
) -> None:
    tokens = fork.deployment.tokens
    pair = next(key for key in fork.deployment.pools if key.startswith("uniswap_v2")).split(":")[1]
    for symbol in ("WETH", "USDC"):
        await node.perform(require_plain_token(tokens[symbol], [to_address(pair)]), await node.get_block())


async def test_require_plain_token_of_shares_that_round_refuses(fork: Sandbox, node: Node) -> None:
    token = deploy_rebasing(fork)
    send(fork, token.address, _MINT.encode(POOL, 10**18))
    send(fork, token.address, _REBASE.encode(13 * 10**17 + 7))
    with pytest.raises(TokenRefusedError, match="rebases"):
        await _probe(node, token)


async def test_require_plain_token_takes_one_round_whatever_the_pools(
    fork: Sandbox, node: Node, token: Token
) -> None:
    reading = require_plain_token(token, [NOBODY, POOL, NOBODY])
    assert [call.to for call in next(reading)] == [NOBODY, POOL]
    assert list(require_plain_token(token, [token.address])) == []  # its own code cannot be replaced


async def test_require_told_of_a_balance_that_changes_without_a_transfer_refuses(
    fork: Sandbox, node: Node
) -> None:
    token, watch = deploy_rebasing(fork), BalanceWatch(2)
    await _watch(node, watch, token)
    send(fork, token.address, _MINT.encode(POOL, 6 * 10**20))
    fork.chain.mine()
    await _watch(node, watch, token)
    send(fork, token.address, _REBASE.encode(2 * 10**18))  # exact to the unit: no transfer shows it
    fork.chain.mine()
    with pytest.raises(TokenRefusedError, match="transfers since block"):
        await _watch(node, watch, token)


async def test_require_told_after_a_reorg_begins_again(fork: Sandbox, node: Node, token: Token) -> None:
    watch = BalanceWatch(1)
    send(fork, token.address, _MINT.encode(POOL, 10**20))
    await _watch(node, watch, token)
    fork.chain.reorg(1)
    fork.chain.mine()
    await _watch(node, watch, token)
    await _watch(node, watch, token)


async def _watch(node: Node, watch: BalanceWatch, token: Token) -> None:
    block = await node.get_block()
    moved = await node.perform(require_plain_token(token, [POOL]), block)
    assert moved is not None
    await watch.require_told(node, token, moved, block)


def deploy_rebasing(fork: Sandbox) -> Token:
    code = compile_source("contracts/mocks/tokens/RebasingToken.sol")
    address = to_address(send(fork, None, code)["contractAddress"])
    send(fork, address, _MINT.encode(POOL, 6 * 10**24))
    return Token(fork.chain.chain_id, address, "REB", 18)


@pytest.mark.parametrize("misbehave", [_SET_FEE.encode(10), _SET_PAUSED.encode(True)])
def test_quote_of_a_token_that_misbehaves_is_refused(desk: Desk, fork: Sandbox, misbehave: bytes) -> None:
    assert desk.quote(sell="WETH", amount="1", buy="USDC").amount_out
    send(fork, fork.deployment.tokens["USDC"].address, misbehave)
    with pytest.raises(TokenRefusedError):
        desk.quote(sell="WETH", amount="1", buy="USDC")
