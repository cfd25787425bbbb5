"""The main job through a node that lies: whatever a send meets, the order executes exactly once.

Failure catalogue: B 18 to 22, 24, 25, 28; C 30, 31, 34, 39, 40; E 51. The allowance and the swap are
two sends; each fault strikes the one or the other, and at random any call.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from chain_facts import balance_of, nonce_of
from few_venues import with_few_venues

from onchain_exec import LocalSigner, OrderState, Policy
from onchain_exec.app.desk import AsyncDesk
from onchain_exec.app.sandbox import Sandbox
from onchain_exec.errors import NodeError, StateError
from onchain_exec.testing.lying_node import (
    RATE_LIMITS,
    WORDS,
    Client,
    Duplicate,
    Fault,
    Hang,
    LateReceipts,
    LyingNode,
    MempoolModel,
    NeverBroadcast,
    Reason,
    Refusal,
    Refuse,
    ResetAfter,
    ResetBefore,
    ServerError,
    StaleHead,
    TooManyRequests,
    Truncated,
)

SEND = "eth_sendRawTransaction"
SOLD = 10**18

FAULTS = {
    "18 reset before": ResetBefore(),
    "18 reset after": ResetAfter(),
    "18 hang before": Hang(0.5),
    "18 hang after": Hang(0.5, forward=True),
    "25 truncated": Truncated(),
    "25 bad gateway": ServerError(502),
    "25 bad gateway after": ServerError(502, forward=True),
    "34 too many requests": TooManyRequests(1),
    "34 limited in 200": Refuse(RATE_LIMITS["infura"]),
    "19 duplicate": Duplicate(),
    "24 never broadcast": NeverBroadcast(),
    "39 unknown words, taken": Refuse(Refusal(-32000, "internal error"), forward=True),
    "40 says underpriced, taken": Refuse(WORDS[Client.GETH][Reason.REPLACEMENT_UNDERPRICED], forward=True),
    "22 says too low, taken": Refuse(WORDS[Client.NETHERMIND][Reason.NONCE_TOO_LOW], forward=True),
}


@pytest.fixture
def lying(fork: Sandbox) -> Iterator[LyingNode]:
    with LyingNode.start(fork.url, mempool=MempoolModel(automine=True)) as node:
        yield node


@pytest.fixture
async def desk(fork: Sandbox, lying: LyingNode, tmp_path: Path) -> AsyncIterator[AsyncDesk]:
    async with await AsyncDesk.connect(
        lying.url,
        signer=LocalSigner(fork.trader.key, chain_id=fork.chain.chain_id),
        journal=tmp_path / "journal.sqlite",
        profile=with_few_venues(fork.profile),
        policy=Policy(confirm_timeout_s=0.2),
    ) as opened:
        yield opened


@pytest.mark.parametrize("nth", [1, 2], ids=["allowance", "swap"])
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_sell_through_a_send_fault_executes_exactly_once_after_recover(
    fault: Fault, nth: int, fork: Sandbox, lying: LyingNode, desk: AsyncDesk
) -> None:
    weth, trader = fork.profile.tokens["WETH"], fork.trader.address
    had = balance_of(fork, weth, trader)
    lying.lie(fault, SEND, nth=nth)

    order = await desk.sell("WETH", "1", buy="USDC", client_order_id="the-order")
    sold = had - balance_of(fork, weth, trader)
    assert order.state in (OrderState.FILLED, OrderState.WORKING, OrderState.NEW)
    assert (order.state is OrderState.FILLED) <= (sold == SOLD), "a fill is never told that did not happen"

    lying.clear()
    for _ in range(3):
        await desk.recover()
    assert had - balance_of(fork, weth, trader) == SOLD
    (order,) = await desk.orders()
    assert order.state is OrderState.FILLED
    again = await desk.sell("WETH", "1", buy="USDC", client_order_id="the-order")
    assert again.tx_hash == order.tx_hash
    assert had - balance_of(fork, weth, trader) == SOLD
    assert nonce_of(fork, trader) == 2, "one allowance, one swap"
    assert (await desk.reconcile()).breaks == ()
    assert len({entry.call.params[0] for entry in lying.transcript.of(SEND)}) == 2, "the same bytes each time"


SEEDS = [*range(3), *(pytest.param(seed, marks=pytest.mark.deep) for seed in range(3, 60))]


@pytest.mark.parametrize("seed", SEEDS)
async def test_sell_while_any_call_may_fail_executes_at_most_once_and_says_which(
    seed: int, fork: Sandbox, tmp_path: Path
) -> None:
    """18 to 40 at random, reads as well: what the journal tells at the end is what the chain did."""
    weth, trader = fork.profile.tokens["WETH"], fork.trader.address
    had = balance_of(fork, weth, trader)
    model = MempoolModel(automine=True)
    with LyingNode.start(fork.url, seed=seed, mempool=model) as lying:
        async with await AsyncDesk.connect(
            lying.url,
            signer=LocalSigner(fork.trader.key, chain_id=fork.chain.chain_id),
            journal=tmp_path / "journal.sqlite",
            profile=with_few_venues(fork.profile),
            policy=Policy(confirm_timeout_s=0.2),
        ) as desk:
            for fault in FAULTS.values():
                lying.lie(fault, SEND, probability=0.05)
            for view in (StaleHead(1), LateReceipts(2), ServerError(503)):
                lying.lie(view, "eth_get*", probability=0.02)
            for _ in range(4):
                with suppress(NodeError, StateError):
                    await desk.sell("WETH", "1", buy="USDC", client_order_id="the-order")
                    await desk.recover()
            lying.clear()
            for _ in range(3):
                await desk.recover()
            states = [order.state for order in await desk.orders()]
            assert set(states) <= {OrderState.FILLED, OrderState.REJECTED}
            assert had - balance_of(fork, weth, trader) == SOLD * states.count(OrderState.FILLED)
            assert states.count(OrderState.FILLED) <= 1
            assert (await desk.reconcile()).breaks == ()
