"""Permit2, where it stands on every chain."""

from __future__ import annotations

import re

from onchain_exec.app.sandbox.evm import Evm
from onchain_exec.app.sandbox.packages import get_package_path
from onchain_exec.core import Address
from onchain_exec.errors import TamperedPackageError

PERMIT2 = Address("0x000000000022D473030F116dDEE9F6B43aC78BA3")
_SOURCE = "lib/permit2/test/utils/DeployPermit2.sol"


def deploy_permit2(evm: Evm) -> Address:
    """Put Permit2's published runtime code at its address.

    Its domain separator is wrong on chain id 31337, which the code takes for its own; right on
    1 and 1337.
    """
    source = (get_package_path("@uniswap/v4-periphery") / _SOURCE).read_text("utf-8")
    code = re.search(r'hex"([0-9a-f]+)"', source)
    if code is None:
        raise TamperedPackageError(f"{_SOURCE} holds no bytecode", needed="the pinned package")
    evm.set_code(PERMIT2, bytes.fromhex(code[1]))
    return PERMIT2
