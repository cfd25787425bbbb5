"""Uniswap's Universal Router, over v2, v3 and v4."""

from __future__ import annotations

from collections.abc import Mapping

from eth_utils import keccak

from onchain_exec.app.sandbox.artifacts import read_contract
from onchain_exec.app.sandbox.deploy import uniswap_v2, uniswap_v3
from onchain_exec.app.sandbox.evm import Evm
from onchain_exec.core import ZERO_ADDRESS, Address

_ARTIFACT = "artifacts/contracts/UniversalRouter.sol/UniversalRouter.json"


def deploy_universal_router(
    evm: Evm, weth: Address, protocols: Mapping[str, Mapping[str, Address]]
) -> dict[str, Address]:
    """Deploy the router over the v2, v3, v4 and Permit2 in ``protocols``; no bridge."""
    parameters = (
        protocols["permit2"]["permit2"],
        weth,
        protocols["uniswap_v2"]["factory"],
        protocols["uniswap_v3"]["factory"],
        keccak(uniswap_v2.get_pair().creation_code()),
        keccak(uniswap_v3.get_pool().creation_code()),
        protocols["uniswap_v4"]["pool_manager"],
        protocols["uniswap_v3"]["position_manager"],
        protocols["uniswap_v4"]["position_manager"],
        ZERO_ADDRESS,
    )
    router = read_contract("@uniswap/universal-router", _ARTIFACT)
    return {"router": evm.deploy(router.creation_code(parameters))}
