"""A Safe trades on the real contracts: catalogue entries 84 (nonce conflicts, owners that changed) and
85 (the same address on another chain)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from market import approve, plan
from stand_ins import make_approved
from test_path import mine

from onchain_exec.app.sandbox import Sandbox
from onchain_exec.app.sandbox.chain_evm import ChainEvm
from onchain_exec.app.sandbox.evm import create_through
from onchain_exec.chain import Node
from onchain_exec.core import ZERO_ADDRESS, Address, to_address
from onchain_exec.core.abi import Function
from onchain_exec.errors import EffectError, InputError, RevertError, SignerError, StaleStateError, StateError
from onchain_exec.execution import (
    Fees,
    GuardedSigner,
    LocalSigner,
    Mined,
    Purpose,
    Signature,
    Signer,
    SigningPolicy,
    SpendCap,
    TxPlan,
    UnsignedTx,
    rebase,
    simulate,
)
from onchain_exec.execution.safe import (
    SafeAccount,
    SafeProposal,
    build_execution,
    collect,
    propose,
    read_safe,
)
from onchain_exec.execution.signers.swaps import MULTICALL_SELECTOR
from onchain_exec.venues.erc20 import APPROVE, get_balance_changes

SETUP = Function("setup(address[],uint256,address,bytes,address,address,uint256,address)")
CREATE = Function("createProxyWithNonce(address,bytes,uint256)", "(address)")
OWNERS = [LocalSigner(bytes((n,)) * 32) for n in (1, 2, 3)]
STRANGER = LocalSigner(b"\x09" * 32)


class FailingOwner:
    """An owner whose signature never comes, comes late, or is no good."""

    def __init__(self, owner: LocalSigner, fault: str) -> None:
        self.owner, self.fault = owner, fault
        self.address, self.capabilities = owner.address, owner.capabilities

    async def sign_transaction(self, tx: UnsignedTx) -> Signature:
        raise AssertionError

    async def sign_typed_data(self, message: Mapping[str, Any]) -> Signature:
        match self.fault:
            case "slow":
                await asyncio.sleep(60)
            case "stalls":
                time.sleep(0.1)
                return await self.owner.sign_typed_data(message)
            case "dies":
                raise SignerError("the connection to the signer is lost")
            case "wrong key":
                return await STRANGER.sign_typed_data(message)
            case "other chain":
                domain = {**message["domain"], "chainId": 1}
                return await self.owner.sign_typed_data({**message, "domain": domain})
        raise AssertionError


def deploy_safe(sandbox: Sandbox, owners: list[LocalSigner], threshold: int) -> Address:
    """Make a Safe as its users do: a proxy from the factory, set up in the same call."""
    contracts = sandbox.deployment.protocols["safe"]
    setup = SETUP.encode(
        [owner.address for owner in owners],
        threshold,
        ZERO_ADDRESS,
        b"",
        contracts["fallback_handler"],
        ZERO_ADDRESS,
        0,
        ZERO_ADDRESS,
    )
    data = CREATE.encode(contracts["singleton"], setup, 0)
    return create_through(ChainEvm(sandbox.chain), contracts["proxy_factory"], data)


@pytest.fixture
def safe_address(sandbox: Sandbox) -> Address:
    """A Safe that two of three owners sign for, with 5 WETH."""
    address = deploy_safe(sandbox, OWNERS, 2)
    sandbox.fund(address, sandbox.deployment.tokens["WETH"], 5 * 10**18)
    sandbox.chain.mine()
    return address


async def plan_swap(node: Node, sandbox: Sandbox, safe: Address, **changes: Any) -> TxPlan:
    return await plan(node, sandbox, await approve(node, sandbox, account=safe, recipient=safe, **changes))


async def read(node: Node, address: Address) -> SafeAccount:
    return await node.perform(read_safe(address), await node.get_block())


async def collect_all(
    proposals: tuple[SafeProposal, ...], safe: SafeAccount, owners: list[Signer]
) -> list[SafeProposal]:
    return [await collect(proposal, safe, owners) for proposal in proposals]


def make_plan() -> TxPlan:
    cause = make_approved()
    return TxPlan(
        cause=cause,
        block=cause.quote.block,
        purpose=Purpose.SWAP,
        sender=cause.account.owner,
        to=cause.account.spender,
        data=b"\x01",
        value_wei=0,
        fees=Fees(2, 1),
    )


def make_safe(threshold: int) -> SafeAccount:
    cause = make_approved()
    owners = frozenset(owner.address for owner in OWNERS)
    return SafeAccount(cause.quote.block, cause.account.owner, owners, threshold, 0)


@pytest.mark.parametrize("signing", [(0, 1), (1, 0), (2, 0), (0, 1, 2)])
async def test_safe_swaps_what_was_quoted_by_any_two_owners(
    sandbox: Sandbox, sandbox_node: Node, safe_address: Address, signing: tuple[int, ...]
) -> None:
    built = await plan_swap(sandbox_node, sandbox, safe_address)
    safe = await read(sandbox_node, safe_address)
    assert (safe.threshold, safe.nonce, safe.owners) == (2, 0, {owner.address for owner in OWNERS})
    proposals = await collect_all(propose(built, safe), safe, [OWNERS[index] for index in signing])
    executed = build_execution(proposals, safe, sandbox.trader.address)
    simulated = await simulate(sandbox_node, executed)
    quote = built.cause.quote
    assert (simulated.amount_in, simulated.amount_out) == (quote.amount_in, quote.amount_out)
    for step in simulated.depends_on:
        await mine(sandbox_node, sandbox, step)
    swap = await simulate(sandbox_node, rebase(executed, await sandbox_node.get_block(), mined=True))
    outcome = await mine(sandbox_node, sandbox, swap)
    assert get_balance_changes(outcome.receipt.logs, safe_address) == {
        quote.order.token_in.address: -quote.amount_in,
        quote.order.token_out.address: quote.amount_out,
    }
    assert (await read(sandbox_node, safe_address)).nonce == 2


async def test_safe_whose_nonce_was_taken_refuses_to_execute(
    sandbox: Sandbox, sandbox_node: Node, safe_address: Address
) -> None:
    safe = await read(sandbox_node, safe_address)
    ours = propose(await plan_swap(sandbox_node, sandbox, safe_address), safe)
    signed = await collect_all(ours, safe, list(OWNERS))
    other = build_execution(signed[:1], safe, sandbox.trader.address)
    outcome = await mine(sandbox_node, sandbox, await simulate(sandbox_node, other))
    assert isinstance(outcome, Mined)
    with pytest.raises(StaleStateError, match="next one, 1"):
        build_execution(signed, await read(sandbox_node, safe_address), sandbox.trader.address)
    stale = build_execution(signed, safe, sandbox.trader.address)
    with pytest.raises(RevertError, match="GS026"):  # and the Safe itself would
        await simulate(sandbox_node, rebase(stale, await sandbox_node.get_block()))


@pytest.mark.parametrize("fault", ["slow", "dies", "wrong key", "other chain"])
async def test_collect_makes_up_for_an_owner_that_fails_or_raises(fault: str) -> None:
    safe, proposal = make_safe(2), SafeProposal(make_plan(), 0)
    failing: Signer = FailingOwner(OWNERS[0], fault)
    collected = await collect(proposal, safe, [failing, *OWNERS[1:]])
    assert {owner for owner, _ in collected.signatures} == {owner.address for owner in OWNERS[1:]}
    with pytest.raises(SignerError, match="1 of the Safe's owners signed"):
        await collect(proposal, safe, [failing, OWNERS[1]], timeout_s=0.05)
    half = replace(proposal, signatures=collected.signatures[:1])
    assert len((await collect(half, safe, OWNERS)).signatures) >= 2


async def test_collect_counts_whoever_had_signed_when_the_time_was_over() -> None:
    owners = [FailingOwner(OWNERS[0], "stalls"), OWNERS[1]]
    collected = await collect(SafeProposal(make_plan(), 0), make_safe(2), owners, timeout_s=0.05)
    assert len(collected.signatures) == 2


async def test_collect_from_a_stranger_raises() -> None:
    safe = make_safe(2)
    with pytest.raises(SignerError, match="is no owner"):
        await collect(SafeProposal(make_plan(), 0), safe, [OWNERS[0], STRANGER])


async def test_build_execution_after_an_owner_was_removed_raises() -> None:
    safe = make_safe(2)
    signed = await collect(SafeProposal(make_plan(), 0), safe, OWNERS[:2])
    fewer = replace(safe, owners=safe.owners - {OWNERS[0].address})
    with pytest.raises(SignerError, match="1 present owners"):
        build_execution([signed], fewer, STRANGER.address)


async def test_read_safe_where_none_stands_raises(sandbox_node: Node) -> None:
    with pytest.raises(StateError, match="no Safe stands"):
        await read(sandbox_node, to_address(b"\x77" * 20))


def test_propose_of_another_accounts_plan_raises() -> None:
    with pytest.raises(InputError, match="one of the Safe"):
        propose(replace(make_plan(), sender=STRANGER.address), make_safe(2))


async def test_an_owner_behind_a_policy_signs_the_safes_swap_and_no_other(
    sandbox: Sandbox, sandbox_node: Node, safe_address: Address
) -> None:
    built = await plan_swap(sandbox_node, sandbox, safe_address)
    safe = await read(sandbox_node, safe_address)
    weth = built.cause.quote.order.token_in.address
    policy = SigningPolicy(
        chain_id=1337,
        contracts={built.to: frozenset({MULTICALL_SELECTOR}), weth: frozenset({APPROVE.selector})},
        recipients=frozenset({safe_address}),
        caps=(SpendCap(weth, 3 * 10**18, 60),),
    )
    owners = [GuardedSigner(OWNERS[0], policy), OWNERS[1]]
    await collect_all(propose(built, safe), safe, owners)
    again = replace(propose(built, safe)[-1], nonce=5)
    with pytest.raises(SignerError, match="together"):
        await collect(again, safe, owners)


async def test_simulate_of_a_safe_that_pays_another_raises(
    sandbox: Sandbox, sandbox_node: Node, safe_address: Address
) -> None:
    honest = await plan_swap(sandbox_node, sandbox, safe_address)
    paid = await approve(sandbox_node, sandbox, account=safe_address, recipient=to_address(b"\x66" * 20))
    stolen = replace(honest, data=(await plan(sandbox_node, sandbox, paid)).data)
    safe = await read(sandbox_node, safe_address)
    signed = await collect_all(propose(stolen, safe), safe, list(OWNERS))
    with pytest.raises(EffectError, match="receives 0 USDC"):
        await simulate(sandbox_node, build_execution(signed, safe, sandbox.trader.address))


@given(st.permutations(range(3)), st.integers(1, 3))
async def test_execution_lists_the_signatures_ascending_by_owner(order: list[int], threshold: int) -> None:
    safe, proposal = make_safe(threshold), SafeProposal(make_plan(), 0)
    signatures = {owner.address: await owner.sign_typed_data(proposal.message) for owner in OWNERS}
    shuffled = [(OWNERS[index].address, signatures[OWNERS[index].address]) for index in order]
    built = build_execution([replace(proposal, signatures=tuple(shuffled))], safe, STRANGER.address)
    expected = b"".join(
        bytes(signatures[owner])[:64] + bytes((27 + signatures[owner].y_parity,))
        for owner in sorted(signatures, key=str.lower)[:threshold]
    )
    assert expected in built.data
    assert len(expected) == 65 * threshold
