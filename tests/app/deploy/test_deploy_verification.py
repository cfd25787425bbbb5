"""What is deployed is compared byte by byte, and each immutable by its value."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest
from eth_account import Account

from onchain_exec.app.deploy.blueprints import Blueprint, list_blueprints
from onchain_exec.app.deploy.create2 import PROXY, PROXY_CODE, PROXY_CREATOR, PROXY_TX, get_create2_address
from onchain_exec.app.deploy.terms import Terms
from onchain_exec.app.deploy.verification import get_immutables, is_deployed
from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.core import to_address
from onchain_exec.core.hashing import keccak
from onchain_exec.errors import ConfigError, InputError, WrongCodeError
from onchain_exec.execution.signers.rlp import encode_bytes, encode_ints, encode_list
from onchain_exec.testing.evm import LocalEvm

CHAIN_ID = 1337
PADDING = 33
"""Bytes that pyrevm puts behind the code it has run."""
ADDRESSES = [to_address(bytes([number]) * 20) for number in range(1, 6)]
PROTOCOLS = {
    "permit2": {"permit2": ADDRESSES[0]},
    "uniswap_v4": {"pool_manager": ADDRESSES[1]},
    "balancer_v2": {"vault": ADDRESSES[2]},
}
TERMS = Terms(ADDRESSES[3], 1_900_000_000, 2_000_000_000, solver_owner=ADDRESSES[4])
BLUEPRINTS = list_blueprints(ADDRESSES[0], PROTOCOLS, TERMS)


def deploy(blueprint: Blueprint) -> bytes:
    evm = LocalEvm(chain_id=CHAIN_ID)
    evm.set_code(PROXY, PROXY_CODE)
    assert evm.call(DEPLOYER, PROXY, blueprint.call_data)[-20:] == bytes.fromhex(blueprint.address[2:])
    return evm.get_code(blueprint.address)[:-PADDING]


def test_list_blueprints_with_all_that_is_needed_draws_all_contracts() -> None:
    assert [one.name for one in BLUEPRINTS] == ["Lens", "Guard", "Router", "Settle", "Solver"]


@pytest.mark.parametrize("blueprint", BLUEPRINTS, ids=lambda one: one.name)
def test_is_deployed_of_what_the_proxy_created_knows_every_byte(blueprint: Blueprint, rng: Random) -> None:
    code = deploy(blueprint)
    assert is_deployed(blueprint, CHAIN_ID, code)
    assert not is_deployed(blueprint, CHAIN_ID, b"")
    words = {offset for offsets in blueprint.artifact.immutables.values() for offset in offsets}
    for place in [*words, *(rng.randrange(len(code)) for _ in range(20))]:
        other = bytearray(code)
        other[place] ^= 1 << rng.randrange(8)
        with pytest.raises(WrongCodeError):
            is_deployed(blueprint, CHAIN_ID, bytes(other))
    with pytest.raises(WrongCodeError, match="bytes of code instead of"):
        is_deployed(blueprint, CHAIN_ID, code[:-1])


@pytest.mark.parametrize(
    ("name", "changes", "differs"),
    [
        ("Settle", {"guardian": ADDRESSES[0]}, "GUARDIAN"),
        ("Settle", {"guardianUntil": 1_900_000_001}, "GUARDIAN_UNTIL"),
        ("Settle", {"sunsetAt": 2_000_000_001}, "SUNSET_AT"),
        ("Router", {"poolManager": ADDRESSES[4]}, "POOL_MANAGER"),
        ("Solver", {"owner_": ADDRESSES[0]}, "OWNER"),
    ],
)
def test_is_deployed_of_a_contract_built_otherwise_names_the_immutable(
    name: str, changes: dict[str, Any], differs: str
) -> None:
    blueprint = next(one for one in BLUEPRINTS if one.name == name)
    other = replace(blueprint, arguments={**blueprint.arguments, **changes})
    code = bytearray(deploy(other))
    for immutable in ("DOMAIN", "SELF"):  # what follows from the place is not what differs here
        for offset in blueprint.artifact.immutables.get(immutable, ()):
            code[offset : offset + 32] = get_immutables(blueprint, CHAIN_ID)[immutable]
    with pytest.raises(WrongCodeError, match=f"^{differs} is 0x"):
        is_deployed(blueprint, CHAIN_ID, bytes(code))


def test_is_deployed_on_another_chain_names_the_chain_id() -> None:
    settle = BLUEPRINTS[3]
    with pytest.raises(WrongCodeError, match=r"^(CHAIN_ID|DOMAIN) is 0x"):
        is_deployed(settle, CHAIN_ID + 1, deploy(settle))


def test_get_create2_address_of_the_examples_of_eip_1014() -> None:
    deadbeef = bytes.fromhex("deadbeef")
    zero = to_address(bytes(20))
    assert get_create2_address(b"\x00", bytes(32), zero) == "0x4D1A2e2bB4F88F0250f26Ffff098B0b30B26BF38"
    assert (
        get_create2_address(deadbeef, bytes(12) + bytes.fromhex("feed" + "00" * 18), zero)
        != get_create2_address(deadbeef, bytes(32), zero)
        == "0x70f2b2914A2a4b783FaEFb75f459A580616Fcb5e"
    )


def test_proxy_is_what_its_signed_transaction_creates() -> None:
    assert Account.recover_transaction(PROXY_TX) == PROXY_CREATOR
    assert PROXY_CODE in PROXY_TX
    created = encode_list(encode_bytes(bytes.fromhex(PROXY_CREATOR[2:])) + encode_ints(0))
    assert to_address(keccak(created)[12:]) == PROXY


@pytest.mark.parametrize(
    "given",
    [
        ("0x" + "ab" * 20, "2030-01-01", None, None),
        (None, None, None, "0x" + "ab" * 20),
        ("0x" + "ab" * 20, "2030-1", "2031-01-01", None),
        ("0x" + "ab" * 20, "2031-01-01", "2030-01-01", None),
        ("0x" + "ab" * 20, "2031-01-01", "2200-01-01", None),
    ],
)
def test_parse_terms_that_are_half_or_wrong_raises(given: tuple[str | None, ...]) -> None:
    with pytest.raises((InputError, ConfigError)):
        Terms.parse(*given)


def test_parse_terms_of_days_begins_with_the_day() -> None:
    terms = Terms.parse("0x" + "ab" * 20, "2030-01-01", "2031-01-01", None)
    assert terms == Terms(to_address("0x" + "ab" * 20), 1_893_456_000, 1_924_992_000)
    assert Terms.parse(None, None, None, None) is None
