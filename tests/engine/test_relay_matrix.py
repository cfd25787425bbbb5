"""Whatever endpoints do, a private order's bytes reach no public endpoint, its slot ends as the chain says,
and nothing is done twice. Catalogue entries 63 (never included), 64 (private and public mixed), 65 (a
cancellation that comes too late), 66 (nonces of private endpoints), 67 ("nonce too low" from a relay ahead),
70 (an acknowledgement proves nothing)."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from engine.relay_matrix import SETTINGS, Behaviour, Cell, Setting

from onchain_exec.app.path.context import Policy
from onchain_exec.chain import Delivery, EndpointPool
from onchain_exec.execution.channels import Channel, ChannelPolicy
from onchain_exec.oms import OrderState

CELLS = [pytest.param(*cell, id=f"{cell[0].name}-{cell[1].value}") for cell in product(SETTINGS, Behaviour)]
FALLING_BACK = ChannelPolicy(reconsider_blocks=2, fall_back_to_public=True)
BUILDERS = [setting for setting in SETTINGS if setting.count == 3]


def run(setting: Setting, behaviours: tuple[Behaviour, ...]) -> None:
    """Run a cell, which holds the laws; the parent is done unless it was to be cancelled, and what others
    were seen to have was not left as it was."""
    book = Cell(setting, behaviours).run()
    (parent,) = book.parents.views.values()
    if Behaviour.CANCEL_RACE not in behaviours:
        assert parent.state is OrderState.FILLED
    leaks = [slot for slot in book.slots.values() if slot.leaked]
    assert all(len(slot.attempts) > slot.leaked or slot.orphaned for slot in leaks)
    if set(behaviours) == {Behaviour.LEAKED} and setting.count:
        assert leaks


@pytest.mark.parametrize(("setting", "behaviour"), CELLS)
def test_order_behind_endpoints_that_break_their_word_is_resolved_once_and_privately(
    setting: Setting, behaviour: Behaviour
) -> None:
    run(setting, (behaviour,) * max(setting.count, 1))


@pytest.mark.parametrize("setting", BUILDERS, ids=lambda setting: setting.name)
@pytest.mark.parametrize("numbers", [range(5, 343, 48), pytest.param(range(343), marks=pytest.mark.deep)])
def test_order_behind_builders_of_which_each_behaves_otherwise_is_resolved_once_and_privately(
    setting: Setting, numbers: range
) -> None:
    every = list(product(Behaviour, repeat=3))
    for number in numbers:
        run(setting, every[number])


def test_order_of_a_pool_that_mixes_private_and_public_up_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    async def send_to_all(pool: EndpointPool, raw: bytes, **_: object) -> tuple[Delivery, ...]:
        return await broadcast(pool, raw)

    broadcast = EndpointPool.broadcast
    monkeypatch.setattr(EndpointPool, "broadcast", send_to_all)
    protected = next(setting for setting in SETTINGS if setting.channel is Channel.PROTECTED)
    with pytest.raises(AssertionError, match="at a public endpoint"):
        run(protected, (Behaviour.INCLUDED,))


@pytest.mark.parametrize("allowed", [{Channel.PUBLIC}, {Channel.PUBLIC, Channel.PRIVATE}], ids=len)
def test_order_that_was_accepted_under_private_only_is_private_for_an_engine_that_is_not(
    allowed: set[Channel],
) -> None:
    setting = next(setting for setting in SETTINGS if setting.channel is Channel.PRIVATE)
    later = Policy(time_to_live_s=600, channels=ChannelPolicy(frozenset(allowed)))
    cell = Cell(setting, (Behaviour.INCLUDED,) * setting.count, later=later)
    cell.run_unfinished()
    assert not cell.public.heard
    (parent,) = cell.lines.replay().parents.views.values()
    assert parent.state is (OrderState.FILLED if Channel.PRIVATE in allowed else OrderState.REJECTED)


@pytest.mark.parametrize(("private_only", "policy"), [(True, FALLING_BACK), (False, ChannelPolicy())])
def test_order_that_relays_ignore_for_ever_never_becomes_public_unless_the_policy_says_so(
    private_only: bool, policy: ChannelPolicy
) -> None:
    cell = ignore_for_ever(private_only=private_only, policy=policy)
    cell.run_unfinished()
    assert not cell.public.heard


def test_order_that_relays_ignore_becomes_public_by_a_journalled_choice_of_the_policy() -> None:
    cell = ignore_for_ever(private_only=False, policy=FALLING_BACK)
    book = cell.run()
    (view,) = book.orders.values()
    assert view.state is OrderState.FILLED
    assert view.decision is not None
    assert view.decision.channel is Channel.PUBLIC
    choices = [line for line in cell.lines.texts if '"channel_chosen"' in line]
    assert len(choices) == 2, "private first, then public"
    assert cell.public.heard[0] == book.slots[view.slots[0]].attempts[0].tx.raw, "the same bytes"


def ignore_for_ever(*, private_only: bool, policy: ChannelPolicy) -> Cell:
    cell = Cell(Setting("ignored", Channel.PRIVATE, 2), (Behaviour.IGNORED,) * 2, lasts=40)
    channels = replace(policy, allowed=frozenset({Channel.PRIVATE, Channel.PUBLIC}))
    cell.policy = replace(cell.policy, private_only=private_only, channels=channels)
    cell.private = private_only
    return cell
