"""Uniswap v4."""

from __future__ import annotations

from onchain_exec.app.sandbox.artifacts import Contract, read_contract
from onchain_exec.app.sandbox.evm import DEPLOYER, Evm
from onchain_exec.core import ZERO_ADDRESS, Address

_UNSUBSCRIBE_GAS_LIMIT = 300_000  # as on main net


def deploy_uniswap_v4(evm: Evm, weth: Address, permit2: Address) -> dict[str, Address]:
    """Deploy the PoolManager (protocol fee off), the PositionManager (its tokens without a
    picture), and the lenses."""
    manager = evm.deploy(_read("PoolManager", ".default").creation_code(DEPLOYER))
    positions = _read("PositionManager").creation_code(
        manager, permit2, _UNSUBSCRIBE_GAS_LIMIT, ZERO_ADDRESS, weth
    )
    return {
        "pool_manager": manager,
        "position_manager": evm.deploy(positions),
        "quoter": evm.deploy(_read("V4Quoter").creation_code(manager)),
        "state_view": evm.deploy(_read("StateView").creation_code(manager)),
    }


def _read(name: str, build: str = "") -> Contract:
    return read_contract("@uniswap/v4-periphery", f"foundry-out/{name}.sol/{name}{build}.json")
