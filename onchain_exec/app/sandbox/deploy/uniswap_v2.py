"""Uniswap v2."""

from __future__ import annotations

from onchain_exec.app.sandbox.artifacts import Contract, read_contract
from onchain_exec.app.sandbox.evm import DEPLOYER, Evm
from onchain_exec.core import Address


def get_pair() -> Contract:
    """Return the pair, whose creation code's hash its addresses follow from."""
    return read_contract("@uniswap/v2-core", "build/UniswapV2Pair.json")


def deploy_uniswap_v2(evm: Evm, weth: Address) -> dict[str, Address]:
    """Deploy the factory (protocol fee off) and Router02."""
    factory = read_contract("@uniswap/v2-core", "build/UniswapV2Factory.json")
    router = read_contract("@uniswap/v2-periphery", "build/UniswapV2Router02.json")
    factory_address = evm.deploy(factory.creation_code(DEPLOYER))
    return {"factory": factory_address, "router": evm.deploy(router.creation_code(factory_address, weth))}
