"""Shipped contracts: found by name, complete, and their selectors those of the ABI."""

import pytest
from eth_utils import function_signature_to_4byte_selector

from onchain_exec.core.artifact import get_artifact
from onchain_exec.errors import InputError


def test_get_artifact_lens_dispatches_what_its_interface_says():
    runtime = get_artifact("Lens").runtime_bytecode
    for signature in (
        "getV3Pool(address,int16,int16)",
        "getV4Pool(address,bytes32,int24,int16,int16)",
    ):
        assert function_signature_to_4byte_selector(signature) in runtime


def test_get_artifact_any_contract_ends_its_creation_code_with_its_runtime():
    artifact = get_artifact("Lens")  # without immutables, so that nothing of it is filled in
    assert artifact.bytecode.endswith(artifact.runtime_bytecode)


def test_get_artifact_unknown_name_says_which_there_are():
    with pytest.raises(InputError, match=r"'Telescope'.*Lens.*TestToken"):
        get_artifact("Telescope")
