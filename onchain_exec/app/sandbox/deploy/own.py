"""This project's own contracts that a chain keeps, at the addresses that `onchain-exec deploy` gives them;
lenses and probes are lent to a call instead."""

from __future__ import annotations

from typing import Final

from onchain_exec.app.deploy.blueprints import Protocols, list_blueprints
from onchain_exec.app.deploy.create2 import PROXY, PROXY_CODE
from onchain_exec.app.deploy.terms import Terms
from onchain_exec.app.sandbox.evm import DEPLOYER, Evm
from onchain_exec.core import Address

_END: Final = 2**32 - 1  # the last deadline that an order can have
_TRADER: Final = Address("0x70997970C51812dc3A010C7d01b50e0d17dc79C8")  # the second account that chains fund
_TERMS: Final = Terms(guardian=DEPLOYER, guardian_until=_END, sunset_at=_END, solver_owner=_TRADER)


def deploy_own(evm: Evm, weth: Address, protocols: Protocols) -> dict[str, Address]:
    """Deploy ours over the Permit2, v4 and Balancer in ``protocols``; the deployer is Settle's guardian, the
    local chain's trader owns the Solver."""
    evm.set_code(PROXY, PROXY_CODE)
    blueprints = [one for one in list_blueprints(weth, protocols, _TERMS) if one.role != "lens"]
    for blueprint in blueprints:
        evm.call(DEPLOYER, PROXY, blueprint.call_data)
    return {blueprint.role: blueprint.address for blueprint in blueprints}
