"""This project's own contracts that a chain keeps; lenses and probes are lent to a call instead."""

from __future__ import annotations

from collections.abc import Mapping

from eth_abi import encode

from onchain_exec.app.sandbox.evm import Evm
from onchain_exec.core import Address
from onchain_exec.core.artifact import get_artifact


def deploy_own(evm: Evm, weth: Address, protocols: Mapping[str, Mapping[str, Address]]) -> dict[str, Address]:
    """Deploy the Guard, and the Router over the Permit2, v4 and Balancer in ``protocols``."""
    built_for = (
        protocols["permit2"]["permit2"],
        weth,
        protocols["uniswap_v4"]["pool_manager"],
        protocols["balancer_v2"]["vault"],
    )
    return {
        "router": evm.deploy(get_artifact("Router").bytecode + encode(["address"] * 4, built_for)),
        "guard": evm.deploy(get_artifact("Guard").bytecode),
    }
