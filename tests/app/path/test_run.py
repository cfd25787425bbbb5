"""The path's own rules, whatever its steps find: what must be true before the next of them is taken."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from oms.builders import (
    BLOCK,
    TRADER,
    make_approved,
    make_denied,
    make_order,
    make_plan,
    make_quote,
    make_receipt,
    make_signed,
    sign_plan,
)
from path_stage import APPROVED, ORDER, Stage, open_stage, take_steps

from onchain_exec.app.path import actions, run
from onchain_exec.app.path.context import Policy
from onchain_exec.core import to_address
from onchain_exec.core.action import ActionOrder, VenueCall
from onchain_exec.errors import InputError, RevertError, StaleStateError
from onchain_exec.execution import (
    DurableTx,
    Mined,
    Outcome,
    Purpose,
    Reverted,
    SimulatedTx,
    Sources,
    StillUnknown,
    Superseded,
    TxPlan,
)
from onchain_exec.execution.channels import Channel, Decision, Stakes
from onchain_exec.oms import OrderState, SwitchState
from onchain_exec.pricing import PriceSource, SourceKind, consolidate
from onchain_exec.risk import Approved, DenialCode, Denied, Limits
from onchain_exec.risk.action import ApprovedAction, DeniedAction

DURABLE = DurableTx(ORDER.order_id, Purpose.ALLOWANCE, *(1337, TRADER, 0), b"", "0x01")


@pytest.fixture
def stage() -> Stage:
    return open_stage()


def simulate(purpose: Purpose = Purpose.SWAP, salt: int = 0, *before: Any) -> Any:
    simulated = sign_plan(make_plan(APPROVED, purpose), salt).simulated
    return replace(simulated, depends_on=before, gas_used=salt)


def choose(channel: Channel) -> Decision:
    return Decision(channel, (), (), 100, Stakes(0))


OUTCOMES = {
    "mined": Mined(make_receipt("0x01", ORDER), 1),
    "reverted": Reverted(make_receipt("0x01", ORDER, success=False), 1, ""),
    "superseded": Superseded("0x02", 0),
    "unknown": StillUnknown("0x01"),
}


@pytest.mark.parametrize("found", OUTCOMES)
async def test_wait_is_true_of_what_was_mined_and_succeeded_alone(
    stage: Stage, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    nonce = stage.journal.reserve_nonce(1337, TRADER, ORDER.order_id, Purpose.SWAP, 0)
    durable = stage.journal.write_signed(ORDER.order_id, make_signed(ORDER, nonce))
    asked: list[tuple[Any, ...]] = []

    async def confirm(*arguments: Any) -> Outcome:
        asked.append(arguments[1:])
        outcome = OUTCOMES[found]
        if isinstance(outcome, Mined | Reverted):
            return replace(outcome, receipt=replace(outcome.receipt, tx_hash=durable.tx_hash))
        return outcome

    stage.policy = Policy(confirmations=7)
    monkeypatch.setattr(run, "confirm", confirm)
    take_steps(stage, monkeypatch, run, attend=3.0, watch_trade=None)
    assert await run.wait(stage.context, durable) is (found == "mined")
    assert asked == [(durable, 7, 3.0)]
    states = {"mined": "FILLED", "reverted": "FAILED", "superseded": "FAILED", "unknown": "WORKING"}
    assert stage.journal.read_order(ORDER.order_id).state.name == states[found]


@pytest.mark.parametrize("best_last", [False, True])
async def test_decide_is_an_approval_where_one_router_passes(
    stage: Stage, best_last: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    rich = APPROVED.account
    poor = replace(rich, spender=to_address("0x" + "0d" * 20), allowance=0)
    accounts = dict(enumerate([poor, rich] if best_last else [rich, poor]))
    stage.policy = Policy(Limits(may_approve=False))
    take_steps(stage, monkeypatch, run, read_accounts=accounts, read_reference=None)
    assert await run.decide(stage.context, APPROVED.quote) == Approved(APPROVED.quote, rich)


async def test_decide_holds_the_quote_to_the_price_of_others_than_pools(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    dearer = consolidate([PriceSource(SourceKind.FEED, "FEED", Fraction(2_500 * 10**6, 10**18))])
    take_steps(stage, monkeypatch, run, read_accounts={"": APPROVED.account}, read_reference=dearer)
    denied = await run.decide(stage.context, APPROVED.quote)
    assert isinstance(denied, Denied)
    assert denied.found == "2000 bps below the reference price"


async def test_decide_on_a_block_that_left_the_chain_reads_nothing_there(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = StaleStateError("block 100 is gone", needed="a canonical block")
    context = stage.context
    context.node.require_canonical = stage.asked("canonical", gone)  # type: ignore[method-assign]
    take_steps(stage, monkeypatch, run, read_accounts={"": APPROVED.account}, read_reference=None)
    for decide, asked in ((run.decide, APPROVED.quote), (actions.read_funds, None)):
        with pytest.raises(StaleStateError):
            await decide(context, asked or ACTION, *(() if asked else (BLOCK,)))
    assert stage.told == ["canonical", "canonical"]


ACTION = ActionOrder("a", "a", TRADER, "aave_v3", (VenueCall("supply", TRADER, b""),), (), 10**10)


async def test_quote_order_reads_no_pool_of_a_venue_that_is_paused(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def read_market(_: Any, __: Any, ___: Any, protocols: list[str]) -> None:
        asked.extend(protocols)
        raise StaleStateError("enough was seen")

    monkeypatch.setattr(run, "list_executable", lambda _: ("uniswap_v2", "uniswap_v3"))
    monkeypatch.setattr(run, "read_market", read_market)
    stage.journal.append_switch("venue:uniswap_v2", SwitchState.PAUSED)
    with pytest.raises(StaleStateError):
        await run.quote_order(stage.context, ORDER, BLOCK)
    assert asked == ["uniswap_v3"]


async def test_decide_on_a_quote_that_is_too_old_raises_and_reads_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is neither denied, which would end the order, nor quoted again."""
    stage.policy = Policy(Limits(max_quote_age_s=60))
    take_steps(stage, monkeypatch, run, read_accounts={"": APPROVED.account}, read_reference=None)
    with pytest.raises(StaleStateError):
        await run.decide(stage.context, replace(APPROVED.quote, made_at=BLOCK.timestamp + 1 - 61))
    assert stage.told == ["canonical"]


async def test_prepare_of_what_no_channel_takes_builds_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise InputError("no way is left")

    take_steps(stage, monkeypatch, run, decide=APPROVED, build=simulate())
    monkeypatch.setattr(run, "decide_channel", refuse)
    with pytest.raises(InputError, match="no way is left"):
        await run.prepare(stage.context, APPROVED.quote)
    assert stage.told == ["decide"]


async def test_execute_after_a_wait_sends_what_was_built_after_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []

    async def make_durable(_: Any, __: Any, simulated: Any) -> DurableTx:
        sent.append(simulated.gas_used)
        return DURABLE

    monkeypatch.setattr(run, "make_durable", make_durable)
    ways = choose(Channel.WAIT), choose(Channel.WAIT), choose(Channel.PUBLIC)
    built = simulate(salt=1), simulate(salt=2), simulate(salt=3)
    take_steps(stage, monkeypatch, run, build=built, choose_way=ways, outlasts=True, deliver=True)
    await run.execute(stage.context, APPROVED)
    assert sent == [3]


async def test_execute_of_what_expires_while_it_waits_sends_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    ways = {"choose_way": choose(Channel.WAIT), "outlasts": False}
    take_steps(stage, monkeypatch, run, build=simulate(), **ways, make_durable=DURABLE, deliver=True)
    await run.execute(stage.context, APPROVED)
    assert stage.told == ["build", "choose_way", "outlasts"]
    assert stage.journal.read_order(ORDER.order_id).state is OrderState.EXPIRED


async def test_execute_of_a_swap_that_reverts_by_no_condition_of_its_own_is_rejected_and_told(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_steps(stage, monkeypatch, run, find_ways=None, take_cheapest=RevertError("Paused", (), b""))
    with pytest.raises(RevertError, match="Paused"):
        await run.execute(stage.context, APPROVED)
    assert stage.journal.read_order(ORDER.order_id).state is OrderState.REJECTED


@pytest.mark.parametrize(
    ("private_only", "promised", "is_signed"),
    [(False, False, True), (True, False, False), (False, True, False)],
)
async def test_build_has_no_permit_signed_where_the_nodes_that_simulate_must_not_see_it(
    private_only: bool, promised: bool, is_signed: bool, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was promised when the order was accepted holds, whatever the desk's policy is by now."""
    order, signers = make_order(2), list[Any]()
    stage.policy = Policy(private_only=private_only)
    stage.journal.append_order(order, make_quote(order), promised=promised)

    async def take_cheapest(_: Any, __: Any, sources: Sources) -> Any:
        signers.append(sources.permit_signer)
        return simulate()

    take_steps(stage, monkeypatch, run, find_ways=None)
    monkeypatch.setattr(run, "take_cheapest", take_cheapest)
    context = stage.context
    await run.build(context, make_approved(order), context.signer)
    assert signers == [context.signer if is_signed else None]


async def test_renew_simulates_what_waited_without_what_was_mined_before_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, newer = simulate(Purpose.ALLOWANCE), replace(BLOCK, number=BLOCK.number + 3)
    waited = simulate(Purpose.SWAP, 0, before)
    waited = replace(waited, plan=replace(waited.plan, depends_on=(before.plan,)))
    plans: list[TxPlan] = []

    async def prove_again(_: Any, plan: TxPlan) -> SimulatedTx:
        plans.append(plan)
        return waited

    monkeypatch.setattr(run, "prove", prove_again)
    context = stage.context
    context.node.get_block = stage.asked("block", newer)  # type: ignore[method-assign]
    await run.renew(context, waited)
    assert plans == [replace(waited.plan, block=newer, depends_on=())]


@pytest.mark.parametrize(
    ("private_only", "channel", "purpose", "is_private"),
    [
        (False, None, Purpose.SWAP, False),
        (False, Channel.PUBLIC, Purpose.SWAP, False),
        (False, Channel.BUNDLE, Purpose.SWAP, True),
        (False, Channel.PROTECTED, Purpose.ALLOWANCE, True),
        (False, Channel.BUNDLE, Purpose.CANCEL, False),
        (True, Channel.PUBLIC, Purpose.SWAP, True),
        (True, Channel.BUNDLE, Purpose.CANCEL, True),
    ],
)
async def test_sign_and_journal_marks_as_private_what_its_channel_hides_or_the_desk_promises(
    private_only: bool,
    channel: Channel | None,
    purpose: Purpose,
    is_private: bool,
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A cancel hides nothing, and goes where it is mined soonest, unless the desk shows nothing at all."""
    if channel:
        stage.journal.append_channel(ORDER.order_id, choose(channel))
    begun = Purpose.SWAP if purpose is Purpose.CANCEL else purpose
    nonce = stage.journal.reserve_nonce(1337, TRADER, ORDER.order_id, begun, 0)
    signed = make_signed(ORDER, nonce, begun)
    if purpose is Purpose.CANCEL:
        first = stage.journal.write_signed(ORDER.order_id, signed, private=True)
        signed = sign_plan(make_plan(first, Purpose.CANCEL), nonce)
    stage.policy = Policy(private_only=private_only)
    take_steps(stage, monkeypatch, run, sign=signed)
    context = stage.context
    durable = await run.sign_and_journal(context, run.require_signer(context), signed.simulated, nonce)
    assert durable.private is is_private
    assert stage.journal.read_open().slots[-1].attempts[-1].tx == durable, "it is durable"


async def test_execute_of_an_intent_that_the_limits_deny_signs_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    intend(stage, monkeypatch, prepare_approvals=make_denied(ORDER))
    await run.execute(stage.context, APPROVED)
    assert stage.journal.read_order(ORDER.order_id).state is OrderState.DENIED
    assert stage.told[-1] == "prepare_approvals"


@pytest.mark.parametrize("is_mined", [False, True])
async def test_execute_of_an_intent_signs_it_once_its_approval_is_mined(
    stage: Stage, is_mined: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    approvals = (simulate(Purpose.ALLOWANCE),)
    intend(stage, monkeypatch, prepare_approvals=(approvals,), deliver=is_mined)
    await run.execute(stage.context, APPROVED)
    steps = ["prepare_approvals", "renew", "make_durable", "deliver"]
    assert stage.told[2:] == [*steps, *(["sign_intent", "wait_for_end"] if is_mined else [])]


async def test_execute_of_an_intent_that_nobody_signs_is_rejected(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    intend(stage, monkeypatch, prepare_approvals=((),), sign_intent=InputError("no signature"))
    with pytest.raises(InputError, match="no signature"):
        await run.execute(stage.context, APPROVED)
    assert stage.journal.read_order(ORDER.order_id).state is OrderState.REJECTED


def intend(stage: Stage, patch: pytest.MonkeyPatch, **steps: Any) -> None:
    usual = {
        "build": simulate(),
        "choose_way": choose(Channel.INTENT),
        "make_durable": DURABLE,
        "renew": simulate(),
        "deliver": True,
        "sign_intent": None,
        "wait_for_end": None,
    }
    take_steps(stage, patch, run, **(usual | steps))


@pytest.mark.parametrize("is_mined", [False, True])
async def test_act_goes_on_after_an_approval_that_was_mined_alone(
    stage: Stage, is_mined: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = simulate(Purpose.ACTION, 1, simulate(Purpose.ALLOWANCE))
    take_steps(
        stage, monkeypatch, actions, build=steps, catch_up=steps, make_durable=DURABLE, deliver=is_mined
    )
    await actions.act(stage.context, ApprovedAction(ACTION, BLOCK))
    each = ["catch_up", "make_durable", "deliver"]
    assert stage.told[1:] == ["build", *each, *(each if is_mined else [])]


async def test_act_on_an_id_that_another_process_took_meanwhile_is_that_order(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_steps(stage, monkeypatch, actions, build=simulate())
    first = stage.journal.append_action(ACTION)
    again = replace(ACTION, order_id="b")
    assert await actions.act(stage.context, ApprovedAction(again, BLOCK)) == first
    assert stage.told == []


async def test_act_whose_signature_fails_is_rejected(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = InputError("no signature")
    take_steps(stage, monkeypatch, actions, build=simulate(), catch_up=simulate(), make_durable=failed)
    with pytest.raises(InputError, match="no signature"):
        await actions.act(stage.context, ApprovedAction(ACTION, BLOCK))
    assert stage.journal.read_order("a").state is OrderState.REJECTED


async def test_act_whose_condition_breaks_while_it_waits_is_denied(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = RevertError("GuardBroken", (), b"")
    denied = DeniedAction(ACTION, DenialCode.CONDITION_FAILED, "1", "at least 2", "Wait")
    monkeypatch.setattr(actions, "judge_action", lambda order, error: denied)
    take_steps(stage, monkeypatch, actions, build=simulate(), catch_up=broken)
    await actions.act(stage.context, ApprovedAction(ACTION, BLOCK))
    assert stage.journal.read_order("a").state is OrderState.DENIED


async def test_act_that_reverts_by_no_condition_of_its_own_is_rejected_and_told(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    reverts = RevertError("Paused", (), b"")
    take_steps(stage, monkeypatch, actions, build=reverts)
    with pytest.raises(RevertError, match="Paused"):
        await actions.act(stage.context, ApprovedAction(ACTION, BLOCK))
    assert stage.journal.read_order("a").state is OrderState.REJECTED


def test_get_now_is_the_later_of_our_clock_and_the_chains(stage: Stage) -> None:
    assert actions.get_now(stage.context, BLOCK) == BLOCK.timestamp + 1
    assert actions.get_now(stage.context, replace(BLOCK, timestamp=10**10)) == 10**10
