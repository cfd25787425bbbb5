import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onchain_exec.app.sandbox.deploy.tokens import deploy_token, deploy_weth
from onchain_exec.app.sandbox.erc20 import get_balance
from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.core import Token, to_address
from onchain_exec.core.abi import Event, Function
from onchain_exec.errors import ConfigError, InputError, MissingToolError, RevertError
from onchain_exec.testing.evm import LocalEvm

HOLDER, OTHER = to_address("0x" + "11" * 20), to_address("0x" + "22" * 20)
_DEPOSIT, _WITHDRAW = Function("deposit()"), Function("withdraw(uint256)")
_MINT, _TRANSFER = Function("mint(address,uint256)"), Function("transfer(address,uint256)", "(bool)")
_MINTED = Event("Transfer(address,address,uint256)", ("address", "address"), ("uint256",))

# what each opcode leaves is returned as one word
CLOCK = bytes.fromhex("425f5260205ff3")  # TIMESTAMP
HEIGHT = bytes.fromhex("435f5260205ff3")  # NUMBER
CHAIN_ID = bytes.fromhex("465f5260205ff3")
TRANSIENT = bytes.fromhex("5f5c5f5260015f5d60205ff3")  # returns TLOAD(0), then TSTORE(0, 1)
INVALID = bytes.fromhex("fe")
ENDLESS = bytes.fromhex("5b5f56")


@pytest.fixture
def evm() -> LocalEvm:
    return LocalEvm()


@pytest.fixture
def token(evm: LocalEvm) -> Token:
    return deploy_token(evm, 1337, "USDC", 6)


def read_word(evm: LocalEvm, code: bytes) -> int:
    evm.set_code(OTHER, code)
    return int.from_bytes(evm.static_call(OTHER, b""))


def test_call_keeps_its_changes_and_static_call_does_not(evm: LocalEvm, token: Token) -> None:
    evm.static_call(token.address, _MINT.encode(HOLDER, 5), HOLDER)
    assert get_balance(evm, token, HOLDER) == 0
    evm.call(HOLDER, token.address, _MINT.encode(HOLDER, 5))
    assert get_balance(evm, token, HOLDER) == 5


def test_call_returns_the_answer_and_its_events(evm: LocalEvm, token: Token) -> None:
    evm.call(HOLDER, token.address, _MINT.encode(HOLDER, 5))
    assert _TRANSFER.decode(evm.call(HOLDER, token.address, _TRANSFER.encode(OTHER, 3))) == (True,)
    (log,) = evm.logs
    assert log.address == token.address
    assert _MINTED.decode(log.topics, log.data) == ((HOLDER.lower(), OTHER.lower()), (3,))
    assert 21_000 < evm.gas_used < 100_000


def test_call_that_reverts_raises_its_data_and_changes_nothing(evm: LocalEvm, token: Token) -> None:
    evm.call(HOLDER, token.address, _MINT.encode(HOLDER, 5))
    with pytest.raises(RevertError) as revert:
        evm.call(HOLDER, token.address, _TRANSFER.encode(OTHER, 6))
    assert len(revert.value.data) == 4 + 3 * 32
    assert get_balance(evm, token, HOLDER) == 5


def test_static_call_that_reverts_leaves_the_chain_usable(evm: LocalEvm, token: Token) -> None:
    for _ in range(2_000):  # a leaked checkpoint would make calls fail at a depth of 1,024
        with pytest.raises(RevertError):
            evm.static_call(token.address, _TRANSFER.encode(OTHER, 6), HOLDER)
    evm.call(HOLDER, token.address, _MINT.encode(HOLDER, 5))
    assert get_balance(evm, token, HOLDER) == 5


@pytest.mark.parametrize(("code", "name"), [(INVALID, "InvalidFEOpcode"), (ENDLESS, "OutOfGas")])
def test_call_that_halts_is_a_revert_named_after_the_halt(code: bytes, name: str) -> None:
    evm = LocalEvm(gas_limit=1_000_000)
    evm.set_code(OTHER, code)
    with pytest.raises(RevertError) as revert:
        evm.call(HOLDER, OTHER, b"")
    assert (revert.value.name, revert.value.data) == (name, b"")


def test_call_without_the_ether_to_send_is_no_revert(evm: LocalEvm) -> None:
    with pytest.raises(InputError):
        evm.call(HOLDER, OTHER, b"", 1)


def test_deploy_that_reverts_raises(evm: LocalEvm) -> None:
    with pytest.raises(RevertError):
        evm.deploy(bytes.fromhex("5f5ffd"))


def test_deploy_gives_the_addresses_that_a_node_gives(evm: LocalEvm) -> None:
    assert deploy_weth(evm, 1337).address == "0x5FbDB2315678afecb367f032d93F642f64180aa3"
    assert deploy_weth(evm, 1337).address == "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512"


def test_value_moves_ether(evm: LocalEvm) -> None:
    weth = deploy_weth(evm, 1337)
    evm.set_balance(HOLDER, 10)
    evm.call(HOLDER, weth.address, _DEPOSIT.encode(), 7)
    evm.call(HOLDER, weth.address, _WITHDRAW.encode(2))
    assert (evm.get_balance(HOLDER), evm.get_balance(weth.address)) == (5, 5)


def test_timestamp_set_begins_a_new_block(evm: LocalEvm) -> None:
    height = read_word(evm, HEIGHT)
    evm.timestamp += 3_600
    assert read_word(evm, CLOCK) == evm.timestamp == 1_700_003_600
    assert read_word(evm, HEIGHT) == height + 1


def test_chain_id_is_the_one_given() -> None:
    assert read_word(LocalEvm(chain_id=42), CHAIN_ID) == 42


def test_transient_storage_ends_with_each_call(evm: LocalEvm) -> None:
    evm.set_code(OTHER, TRANSIENT)
    assert int.from_bytes(evm.call(HOLDER, OTHER, b"")) == 0
    assert int.from_bytes(evm.call(HOLDER, OTHER, b"")) == 0


@given(amounts=st.lists(st.integers(1, 10**9), max_size=6), depth=st.integers(0, 5))
def test_revert_undoes_all_since_the_mark(amounts: list[int], depth: int) -> None:
    evm = LocalEvm()
    token = deploy_token(evm, 1337, "USDC", 6)
    evm.call(HOLDER, token.address, _MINT.encode(HOLDER, 1))
    marks, expected = [], []
    for amount in amounts:
        marks.append(evm.snapshot())
        expected.append(get_balance(evm, token, HOLDER))
        evm.call(HOLDER, token.address, _MINT.encode(HOLDER, amount))
    if depth < len(marks):
        evm.revert(marks[depth])
        assert get_balance(evm, token, HOLDER) == expected[depth]
        for spent in marks[depth:]:
            with pytest.raises(ConfigError):
                evm.revert(spent)


def test_deployer_needs_no_ether(evm: LocalEvm) -> None:
    assert evm.get_balance(DEPLOYER) == 0
    assert deploy_weth(evm, 1337).decimals == 18


def test_local_evm_without_pyrevm_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyrevm", None)
    with pytest.raises(MissingToolError, match="pip install pyrevm"):
        LocalEvm()
