"""Balancer v2."""

from __future__ import annotations

from onchain_exec.app.sandbox.artifacts import Contract, read_contract
from onchain_exec.app.sandbox.evm import DEPLOYER, Evm
from onchain_exec.core import Address

_PAUSE_WINDOW_S, _BUFFER_PERIOD_S = 7_776_000, 2_592_000  # as on main net
_MAX_FEE_WAD = 5 * 10**17  # the most that governance could ever take of a fee
_VERSION = ""  # a text for people that no arithmetic reads


def deploy_balancer_v2(evm: Evm, weth: Address) -> dict[str, Address]:
    """Deploy the Vault (protocol fees off), the factories of weighted and of composable stable
    pools, and the queries."""
    authorizer = evm.deploy(_read("20210418-authorizer", "Authorizer").creation_code(DEPLOYER))
    vault = evm.deploy(
        _read("20210418-vault", "Vault").creation_code(authorizer, weth, _PAUSE_WINDOW_S, _BUFFER_PERIOD_S)
    )
    provider = _read("20220725-protocol-fee-percentages-provider", "ProtocolFeePercentagesProvider")
    fees = evm.deploy(provider.creation_code(vault, _MAX_FEE_WAD, _MAX_FEE_WAD))
    weighted = _read("20230206-weighted-pool-v3", "WeightedPoolFactory")
    stable = _read("20230206-composable-stable-pool-v3", "ComposableStablePoolFactory")
    queries = _read("20220721-balancer-queries", "BalancerQueries")
    return {
        "vault": vault,
        "weighted_pool_factory": evm.deploy(weighted.creation_code(vault, fees, _VERSION, _VERSION)),
        "composable_stable_pool_factory": evm.deploy(stable.creation_code(vault, fees, _VERSION, _VERSION)),
        "queries": evm.deploy(queries.creation_code(vault)),
    }


def _read(task: str, name: str) -> Contract:
    return read_contract("@balancer-labs/v2-deployments", f"dist/tasks/{task}/artifact/{name}.json")
