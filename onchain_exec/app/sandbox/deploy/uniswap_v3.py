"""Uniswap v3."""

from __future__ import annotations

from onchain_exec.app.sandbox.artifacts import Contract, read_contract
from onchain_exec.app.sandbox.evm import DEPLOYER, Evm
from onchain_exec.core import ZERO_ADDRESS, Address
from onchain_exec.core.abi import Function

_ENABLE_FEE_AMOUNT = Function("enableFeeAmount(uint24,int24)")


def get_pool() -> Contract:
    """Return the pool, whose creation code's hash its addresses follow from."""
    return _read("v3-core", "UniswapV3Pool")


def deploy_uniswap_v3(evm: Evm, weth: Address, v2_factory: Address = ZERO_ADDRESS) -> dict[str, Address]:
    """Deploy the factory (fee tiers 100, 500, 3000, 10000), the position manager, the lenses and
    SwapRouter02, which also swaps in the pairs of ``v2_factory``."""
    factory = evm.deploy(_read("v3-core", "UniswapV3Factory").creation_code())
    evm.call(DEPLOYER, factory, _ENABLE_FEE_AMOUNT.encode(100, 1))
    nft = evm.deploy(_read("v3-periphery", "NFTDescriptor", "libraries/").creation_code())
    descriptor = evm.deploy(
        _read("v3-periphery", "NonfungibleTokenPositionDescriptor").creation_code(
            weth, b"ETH".ljust(32, b"\0"), libraries={"NFTDescriptor": nft}
        )
    )
    manager = evm.deploy(
        _read("v3-periphery", "NonfungiblePositionManager").creation_code(factory, weth, descriptor)
    )
    quoter = _read("swap-router-contracts", "QuoterV2", "lens/").creation_code(factory, weth)
    router = _read("swap-router-contracts", "SwapRouter02").creation_code(v2_factory, factory, manager, weth)
    return {
        "factory": factory,
        "position_manager": manager,
        "quoter": evm.deploy(quoter),
        "tick_lens": evm.deploy(_read("v3-periphery", "TickLens", "lens/").creation_code()),
        "swap_router": evm.deploy(router),
    }


def _read(package: str, name: str, folder: str = "") -> Contract:
    return read_contract(f"@uniswap/{package}", f"artifacts/contracts/{folder}{name}.sol/{name}.json")
