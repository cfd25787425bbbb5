"""Safe, the multisig account."""

from __future__ import annotations

from onchain_exec.app.sandbox.artifacts import Contract, read_contract
from onchain_exec.app.sandbox.evm import Evm
from onchain_exec.core import Address


def deploy_safe(evm: Evm) -> dict[str, Address]:
    """Deploy the contract that every Safe delegates to, the factory of its proxies, and the handler
    that lets a Safe receive tokens with callbacks."""
    return {
        "singleton": evm.deploy(_read("Safe").creation_code()),
        "proxy_factory": evm.deploy(_read("SafeProxyFactory", "proxies/").creation_code()),
        "fallback_handler": evm.deploy(_read("CompatibilityFallbackHandler", "handler/").creation_code()),
    }


def _read(name: str, folder: str = "") -> Contract:
    return read_contract(
        "@safe-global/safe-contracts", f"build/artifacts/contracts/{folder}{name}.sol/{name}.json"
    )
