"""What a Safe puts behind its own calls, asked of the real Guard."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from onchain_exec.app.sandbox.deploy.tokens import deploy_token
from onchain_exec.app.sandbox.erc20 import fund
from onchain_exec.chain import decode_revert
from onchain_exec.core import Call, Condition, to_address
from onchain_exec.core.artifact import get_artifact
from onchain_exec.errors import RevertError
from onchain_exec.testing.evm import LocalEvm
from onchain_exec.venues.erc20 import BALANCE_OF
from onchain_exec.venues.guard import encode_check
from onchain_exec.venues.router import ROUTER_ERRORS

SAFE, HELD = to_address(b"\x5a" * 20), 5_000
Make = Callable[[Call, int], Condition]


@pytest.mark.parametrize(
    ("make", "beyond"),
    [
        (Condition.at_least, HELD + 1),
        (Condition.at_most, HELD - 1),
        (lambda call, bound: Condition.at_least(call, bound, signed=True), HELD + 1),
        (lambda call, bound: Condition.at_most(call, bound, signed=True), -1),
        (Condition.equal, HELD + 1),
    ],
)
def test_encode_check_passes_at_the_bound_and_reverts_beyond_it(make: Make, beyond: int) -> None:
    evm = LocalEvm()
    token, guard = deploy_token(evm, 1337, "USDC", 6), evm.deploy(get_artifact("Guard").bytecode)
    fund(evm, token, SAFE, HELD)
    balance = Call(token.address, BALANCE_OF.encode(SAFE))
    kept = make(balance, HELD)
    assert evm.static_call(guard, encode_check([kept]), SAFE) == b""
    with pytest.raises(RevertError) as refused:
        evm.static_call(guard, encode_check([kept, make(balance, beyond)]), SAFE)
    reason = decode_revert(refused.value.data, ROUTER_ERRORS)
    assert (reason.name, reason.arguments) == ("CheckFailed", (1, HELD, beyond % 2**256))
