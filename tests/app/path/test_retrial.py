"""A refusal stands unless the chain has moved on: then the plan is tried once more, on the newest block."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from few_venues import with_few_venues
from oms.builders import BLOCK, make_block, make_plan
from path_stage import APPROVED

from onchain_exec import Desk, LocalSigner, OrderState
from onchain_exec.app.path import retrial
from onchain_exec.app.sandbox.chain_evm import ChainEvm
from onchain_exec.app.sandbox.sandbox import Sandbox
from onchain_exec.chain import HttpRpc
from onchain_exec.core.abi import Function
from onchain_exec.errors import EffectError, GasError, OnchainExecError, RevertError

PLAN = make_plan(APPROVED)
MOVED = make_block(BLOCK.number + 3)
FORKED = make_block(BLOCK.number, salt=1)
TRANSFER = Function("transfer(address,uint256)")


class Trials:
    """Simulations that are refused so and so; ``blocks`` are where they ran."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, head: Any, *refusals: OnchainExecError | None
    ) -> None:
        self.blocks: list[Any] = []
        self.left = list(refusals)

        async def simulate(_: Any, plan: Any, __: Any) -> Any:
            self.blocks.append(plan.block)
            if error := self.left.pop(0):
                raise error
            return plan

        async def get_block(_: str) -> Any:
            return head

        monkeypatch.setattr(retrial, "simulate", simulate)
        profile = SimpleNamespace(gas_rules=None)
        self.context: Any = SimpleNamespace(node=SimpleNamespace(get_block=get_block), profile=profile)


@pytest.mark.parametrize("refused", [EffectError("3 WETH"), GasError("too little")])
async def test_prove_tries_again_once_where_the_chain_has_moved_on(
    refused: OnchainExecError, monkeypatch: pytest.MonkeyPatch
) -> None:
    trials = Trials(monkeypatch, MOVED, refused, None)
    assert (await retrial.prove(trials.context, PLAN)).block == MOVED  # type: ignore[comparison-overlap]
    assert trials.blocks == [BLOCK, MOVED]


@pytest.mark.parametrize("head", [BLOCK, FORKED, make_block(BLOCK.number - 1)])
async def test_prove_refused_on_the_newest_block_stays_refused(
    head: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = EffectError("3 WETH")
    trials = Trials(monkeypatch, head, refused, None)
    with pytest.raises(EffectError) as raised:
        await retrial.prove(trials.context, PLAN)
    assert raised.value is refused
    assert trials.blocks == [BLOCK]


async def test_prove_refused_twice_stays_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    trials = Trials(monkeypatch, MOVED, EffectError("once"), EffectError("again"), None)
    with pytest.raises(EffectError, match="again"):
        await retrial.prove(trials.context, PLAN)
    assert trials.blocks == [BLOCK, MOVED]


async def test_prove_of_what_reverts_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    trials = Trials(monkeypatch, MOVED, RevertError("TooLittle", (), b""), None)
    with pytest.raises(RevertError):
        await retrial.prove(trials.context, PLAN)
    assert trials.blocks == [BLOCK]


class ReadsNewer(HttpRpc):
    """Mines a transfer of the trader's before the ``nth`` simulation, and reads the state after it."""

    def __init__(self, fork: Sandbox, nth: int) -> None:
        super().__init__(fork.url)
        self.fork, self.left = fork, nth

    async def request(self, method: str, params: Any = ()) -> Any:
        self.left -= method == "eth_simulateV1"
        if method == "eth_simulateV1" and self.left == 0:
            weth, other = self.fork.profile.tokens["WETH"].address, self.fork.chain.accounts[5].address
            ChainEvm(self.fork.chain).call(self.fork.trader.address, weth, TRANSFER.encode(other, 10**18))
            params = (params[0], "latest")
        return await super().request(method, params)


@pytest.mark.parametrize("nth", [1, 2, 5, 6])
def test_sell_is_not_refused_for_what_another_process_of_the_account_did(
    nth: int, fork: Sandbox, tmp_path: Path
) -> None:
    desk = Desk.connect(
        ReadsNewer(fork, nth),
        signer=LocalSigner(fork.trader.key),
        journal=tmp_path / "journal.sqlite",
        profile=with_few_venues(fork.profile),
    )
    with desk:
        order = desk.sell("WETH", "1", buy="USDC", max_slippage_bps=50)
        assert order.state is OrderState.FILLED
