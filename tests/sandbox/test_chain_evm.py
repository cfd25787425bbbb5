import pytest

from onchain_exec.app.sandbox import Sandbox
from onchain_exec.app.sandbox.chain_evm import ChainEvm
from onchain_exec.app.sandbox.erc20 import approve, deal, fund, get_balance
from onchain_exec.core import to_address
from onchain_exec.core.abi import CustomError, Function
from onchain_exec.errors import NodeRefusedError, RevertError

STRANGER = to_address("0x" + "77" * 20)
TRANSFER_FROM = Function("transferFrom(address,address,uint256)", "(bool)")
INSUFFICIENT_ALLOWANCE = CustomError("InsufficientAllowance(address,uint256,uint256)")
INVALID_OPCODE = bytes.fromhex("fe")


@pytest.fixture
def evm(fork: Sandbox) -> ChainEvm:
    return ChainEvm(fork.chain)


def test_call_that_reverts_raises_what_the_contract_said(fork: Sandbox, evm: ChainEvm) -> None:
    usdc = fork.deployment.tokens["USDC"]
    data = TRANSFER_FROM.encode(fork.trader.address, STRANGER, 5)
    with pytest.raises(RevertError) as revert:
        evm.call(fork.trader.address, usdc.address, data)
    assert revert.value.data[:4] == INSUFFICIENT_ALLOWANCE.selector
    assert INSUFFICIENT_ALLOWANCE.decode(revert.value.data)[1:] == (0, 5)


def test_call_that_halts_raises_the_halt(evm: ChainEvm) -> None:
    evm.set_code(STRANGER, INVALID_OPCODE)
    with pytest.raises(RevertError, match="InvalidFEOpcode"):
        evm.static_call(STRANGER, b"")


def test_call_that_the_node_does_not_take_is_no_revert(fork: Sandbox, evm: ChainEvm) -> None:
    with pytest.raises(NodeRefusedError, match="Insufficient funds"):
        evm.call(fork.trader.address, STRANGER, b"", 10**30)


def test_deploy_whose_constructor_reverts_raises(evm: ChainEvm) -> None:
    with pytest.raises(RevertError):
        evm.deploy(bytes.fromhex("5f5ffd"))


@pytest.mark.parametrize("symbol", ["WETH", "USDC", "DAI", "WBTC"])
@pytest.mark.parametrize("give", ["fund", "deal"])
def test_fund_and_deal_add_to_what_is_there(fork: Sandbox, evm: ChainEvm, symbol: str, give: str) -> None:
    token = fork.deployment.tokens[symbol]
    for _ in range(2):
        if give == "fund":
            fund(evm, token, STRANGER, 1_000)
        else:
            deal(fork.chain, token, STRANGER, 1_000)
    assert get_balance(evm, token, STRANGER) == 2_000


def test_approve_lets_the_spender_take(fork: Sandbox, evm: ChainEvm) -> None:
    dai = fork.deployment.tokens["DAI"]
    evm.set_balance(STRANGER, 10**18)
    approve(evm, dai, fork.trader.address, STRANGER)
    evm.call(STRANGER, dai.address, TRANSFER_FROM.encode(fork.trader.address, STRANGER, 5))
    assert get_balance(evm, dai, STRANGER) == 5
