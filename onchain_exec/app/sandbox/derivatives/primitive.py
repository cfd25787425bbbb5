"""Primitive's RMM-01 on a chain of one's own: its real bytecode, and the package's own router, because the
engine asks its caller, which must be a contract, for payment."""

from __future__ import annotations

from typing import Final

from onchain_exec.app.sandbox.artifacts import Contract, read_contract
from onchain_exec.app.sandbox.derivatives.deployed import Deployed
from onchain_exec.app.sandbox.erc20 import approve
from onchain_exec.app.sandbox.evm import DEPLOYER, Evm
from onchain_exec.core import Token

PACKAGE: Final = "@primitivefi/rmm-core"


def deploy_primitive(evm: Evm, risky: Token, stable: Token) -> Deployed:
    """Deploy a factory, the engine of two tokens (6 to 18 decimals each), and a router of the engine's that
    takes what the deployer owes."""
    primitive = Deployed(evm)
    primitive.deploy("factory", _read("PrimitiveFactory"))
    primitive.call("factory", "deploy", risky.address, stable.address)
    primitive.contracts["engine"] = _read("PrimitiveEngine")
    primitive.at["engine"] = primitive.ask_address("factory", "getEngine", risky.address, stable.address)
    router = primitive.deploy("router", _read("TestRouter", "test/"), primitive.at["engine"])
    for token in (risky, stable):
        approve(evm, token, DEPLOYER, router)
    return primitive


def _read(name: str, folder: str = "") -> Contract:
    return read_contract(PACKAGE, f"artifacts/contracts/{folder}{name}.sol/{name}.json")
