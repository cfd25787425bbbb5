"""Permits of tokens: found by reads alone, believed only if they hash to the token's own domain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from eth_abi import encode
from eth_utils import keccak
from hypothesis import given
from hypothesis import strategies as st
from stand_ins import BLOCK, KEY, SOLD, TRADER

from onchain_exec.app.sandbox import Sandbox
from onchain_exec.chain import Node
from onchain_exec.core import Answer, Snapshot
from onchain_exec.execution import LocalSigner
from onchain_exec.execution.allowances.permit import PermitDomain, TokenPermit, read_permit_domain
from onchain_exec.execution.delivery.sign import sign_message
from onchain_exec.venues.erc20 import ALLOWANCE
from onchain_exec.venues.uniswap_v2 import UniswapV2Deployment

NO, ANYTHING = Answer(False, b""), Answer(True, b"")  # WETH9's fallback takes any call
OWNER = LocalSigner(KEY)
DAI_TYPE = keccak(text="Permit(address holder,address spender,uint256 nonce,uint256 expiry,bool allowed)")


def text(value: str) -> Answer:
    return Answer(True, encode(["string"], [value]))


def word(value: bytes | int) -> Answer:
    return Answer(True, value if isinstance(value, bytes) else value.to_bytes(32))


def hash_domain(name: str, version: str | None, chain_id: int = BLOCK.chain_id) -> bytes:
    """EIP-712's hashStruct of the domain, written out."""
    versions = [] if version is None else [("string version", keccak(text=version))]
    fields = [("string name", keccak(text=name)), *versions]
    kinds = ",".join([kind for kind, _ in fields] + ["uint256 chainId", "address verifyingContract"])
    hashes = [keccak(text=f"EIP712Domain({kinds})"), *(value for _, value in fields)]
    return keccak(
        encode(["bytes32"] * len(hashes) + ["uint256", "address"], [*hashes, chain_id, SOLD.address])
    )


def read(answers: Sequence[Answer]) -> PermitDomain | str:
    reading = read_permit_domain(SOLD.address, TRADER)
    next(reading)
    try:
        reading.send(Snapshot(BLOCK, tuple(answers)))
    except StopIteration as done:
        return done.value
    raise AssertionError("it asks twice")


@given(
    st.text(max_size=20), st.sampled_from(["1", "2", None, "7"]), st.booleans(), st.integers(0, 2**256 - 1)
)
def test_read_permit_domain_finds_what_hashes_to_the_tokens_own(
    name: str, version: str | None, tells: bool, nonce: int
) -> None:
    told = text(version) if tells and version is not None else NO
    found = read([word(hash_domain(name, version)), word(nonce), text(name), told, NO])
    if version == "7" and not tells:  # nobody can know it
        assert found == "the domain of the token's permits is not known"
    else:
        assert found == PermitDomain(SOLD.address, name, version, nonce)


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ([NO, NO, text("A"), NO, NO], "takes no permits"),
        ([ANYTHING] * 5, "takes no permits"),
        ([word(hash_domain("A", "1")), ANYTHING, text("A"), NO, NO], "takes no permits"),
        ([word(hash_domain("A", "1")), word(0), text("A"), NO, word(DAI_TYPE)], "any amount"),
        ([word(hash_domain("A", "1")), word(0), text("A"), NO, word(1)], "unknown kind"),
        ([word(hash_domain("A", "1", chain_id=5)), word(0), text("A"), NO, NO], "not known"),
        ([word(hash_domain("A", "1")), word(0), text("B"), NO, NO], "not known"),
        ([word(hash_domain("A", "1")), word(0), Answer(True, b"\xff"), NO, NO], "not known"),
    ],
)
def test_read_permit_domain_of_other_tokens_says_why_not(answers: list[Answer], says: str) -> None:
    found = read(answers)
    assert isinstance(found, str)
    assert says in found


async def test_permit_of_a_real_token_grants_exactly_its_amount(sandbox: Sandbox, sandbox_node: Node) -> None:
    """Uniswap v2's pair, itself a token with EIP-2612; WETH9 swallows any call and grants nothing."""
    tokens = sandbox.deployment.tokens
    factory = UniswapV2Deployment(sandbox.deployment.protocols["uniswap_v2"]["factory"])
    pair = factory.get_pair_address(tokens["WETH"].address, tokens["USDC"].address)
    block = await sandbox_node.get_block()
    domain = await sandbox_node.perform(read_permit_domain(pair, OWNER.address), block)
    assert domain == PermitDomain(pair, "Uniswap V2", "1", 0)
    permit = TokenPermit(domain, OWNER.address, TRADER, 123, block.timestamp + 60)
    signature = await sign_message(permit.to_message(block.chain_id), OWNER.address, OWNER)
    for changed in (replace(permit, amount=124), replace(permit, domain=replace(domain, token=pair))):
        tried = await sandbox_node.read_calls([changed.get_trial(signature)], block)
        assert tried.answers[0].success is (changed == permit)
    call = permit.get_trial(signature)
    sandbox.chain.request(
        "eth_sendTransactionSync",
        {"from": OWNER.address, "to": call.to, "data": "0x" + call.data.hex(), "gas": hex(10**6)},
    )
    answer = await sandbox_node.read_calls(
        [type(call)(pair, ALLOWANCE.encode(OWNER.address, TRADER))], await sandbox_node.get_block()
    )
    assert int.from_bytes(answer.answers[0].data) == 123
    weth = await sandbox_node.perform(read_permit_domain(tokens["WETH"].address, OWNER.address), block)
    assert weth == "the token takes no permits"
