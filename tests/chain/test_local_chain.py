"""The owned process: forks are fast and apart, state survives a dump, and nothing is left behind."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from onchain_exec.chain import LocalChain
from onchain_exec.core import to_address
from onchain_exec.errors import ConfigError, NodeRefusedError, NodeUnreachableError, StateError

SOMEONE = to_address("0x" + "99" * 20)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 60
    while _runs(pid):
        assert time.monotonic() < deadline, f"process {pid} still runs"
        time.sleep(0.01)


def _pay(chain: LocalChain, amount: int) -> None:
    chain.request(
        "eth_sendTransaction", {"from": chain.accounts[0].address, "to": SOMEONE, "value": hex(amount)}
    )
    chain.mine()


def _balance(chain: LocalChain, address: str = SOMEONE) -> int:
    return int(chain.request("eth_getBalance", address, "latest"), 16)


def _store(chain: LocalChain, slot: int, word: int) -> None:
    chain.request("anvil_setStorageAt", SOMEONE, hex(slot), f"0x{word:064x}")


def _load(chain: LocalChain, slot: int) -> int:
    return int(chain.request("eth_getStorageAt", SOMEONE, hex(slot), "latest"), 16)


def _head(chain: LocalChain) -> tuple[str, str]:
    block = chain.request("eth_getBlockByNumber", "latest", False)
    return block["number"], block["hash"]


def test_close_ends_the_process_and_leaves_no_zombie() -> None:
    chain = LocalChain.start()
    assert _runs(chain.pid)
    chain.close()
    chain.close()
    assert not _runs(chain.pid)
    with pytest.raises(NodeUnreachableError, match="no answer to eth_chainId"):
        chain.request("eth_chainId")


def test_start_in_a_thread_that_ends_keeps_the_chain_alive() -> None:
    started: list[LocalChain] = []
    thread = threading.Thread(target=lambda: started.append(LocalChain.start()))
    thread.start()
    thread.join()
    time.sleep(0.1)
    with started[0] as chain:
        assert chain.request("eth_chainId") == "0x539"


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_when_the_owner_is_killed_the_process_ends(ending: signal.Signals) -> None:
    program = """
        from onchain_exec.chain import LocalChain
        import time
        chain = LocalChain.start()
        fork = chain.fork()
        print(chain.pid, fork.pid, flush=True)
        time.sleep(60)
    """
    owner = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with owner:
        assert owner.stdout
        pids = [int(pid) for pid in owner.stdout.readline().split()]
        assert len(pids) == 2
        assert all(_runs(pid) for pid in pids)
        owner.send_signal(ending)
    for pid in pids:
        _wait_until_gone(pid)


def test_two_chains_at_once_are_apart() -> None:
    with ThreadPoolExecutor() as pool:
        one, other = pool.map(lambda chain_id: LocalChain.start(chain_id=chain_id), (1, 1337))
    with one, other:
        assert (one.chain_id, other.chain_id) == (1, 1337)
        _pay(one, 7)
        assert (_balance(one), _balance(other)) == (7, 0)


def test_fork_begins_with_the_same_head_and_balances_and_writes_stay_in_it(chain: LocalChain) -> None:
    _pay(chain, 5)
    trader = chain.accounts[0].address
    with chain.fork() as fork:
        assert (fork.chain_id, fork.accounts, _head(fork)) == (1337, chain.accounts, _head(chain))
        assert _balance(fork, trader) == _balance(chain, trader)
        before = _balance(chain)
        _pay(fork, 11)
        assert _balance(fork) == before + 11
        _pay(chain, 3)
        assert (_balance(chain), _balance(fork)) == (before + 3, before + 11)
        with fork.fork() as second:
            assert _balance(second) == before + 11


def test_dump_state_then_start_goes_on_from_the_same_head(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    with LocalChain.start() as chain:
        for amount in range(1, 5):
            _pay(chain, amount)
        head, history = _head(chain), chain.request("eth_getBlockByNumber", "0x2", True)
        chain.dump_state(path)
    with LocalChain.start(state=path) as loaded:
        assert _head(loaded) == head
        assert loaded.request("eth_getBlockByNumber", "0x2", True)["hash"] == history["hash"]
        assert _balance(loaded) == 10
        _pay(loaded, 1)
        block = loaded.request("eth_getBlockByNumber", hex(int(head[0], 16) + 1), False)
        assert block["parentHash"] == head[1]
        assert _balance(loaded) == 11


def test_dump_state_leaves_out_slots_of_zero_unless_they_hide_what_a_parent_holds(tmp_path: Path) -> None:
    path, fork_path = tmp_path / "state.json", tmp_path / "fork.json"
    with LocalChain.start() as chain:
        for slot in (1, 2):
            _store(chain, slot, 7)
        with chain.fork() as fork:
            _store(fork, 1, 0)
            fork.dump_state(fork_path)
        with LocalChain.start(state=fork_path, fork_url=chain.url) as loaded:
            assert (_load(loaded, 1), _load(loaded, 2)) == (0, 7)
        _store(chain, 1, 0)
        chain.dump_state(path)
    kept = json.loads(path.read_text())["accounts"][SOMEONE.lower()]["storage"]
    assert [(int(slot, 16), int(word, 16)) for slot, word in kept.items()] == [(2, 7)]
    with LocalChain.start(state=path) as loaded:
        assert (_load(loaded, 1), _load(loaded, 2)) == (0, 7)


def test_fork_of_a_dump_begins_as_the_chain_was_and_outlives_it(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    with LocalChain.start() as chain:
        _pay(chain, 7)
        head, left = _head(chain), chain.request("eth_getBalance", chain.accounts[0].address, "latest")
        chain.dump_state(path)
        _pay(chain, 5)
        fork = chain.fork(path)
    with fork:
        assert (fork.chain_id, fork.accounts, _head(fork), _balance(fork)) == (1337, chain.accounts, head, 7)
        assert fork.request("eth_getBalance", chain.accounts[0].address, "latest") == left
        _pay(fork, 4)
        assert _balance(fork) == 11


def test_revert_goes_back_to_the_snapshot_once(chain: LocalChain) -> None:
    before, head = _balance(chain), _head(chain)
    snapshot = chain.snapshot()
    _pay(chain, 9)
    chain.revert(snapshot)
    assert (_balance(chain), _head(chain)) == (before, head)
    with pytest.raises(StateError, match=snapshot):
        chain.revert(snapshot)


def test_time_moves_as_told(chain: LocalChain) -> None:
    def head_time() -> int:
        return int(chain.request("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    begun = head_time()
    chain.set_next_timestamp(begun + 5_000)
    chain.mine()
    assert head_time() == begun + 5_000
    chain.increase_time(3_600)
    chain.mine()
    assert begun + 8_600 <= head_time() < begun + 2 * 5_000


def test_set_balance_and_code_show_at_once(chain: LocalChain) -> None:
    chain.set_balance(SOMEONE, 2**255)
    chain.set_code(SOMEONE, b"\x60\x01")
    assert _balance(chain) == 2**255
    assert chain.request("eth_getCode", SOMEONE, "latest") == "0x6001"


def test_kept_states_bounds_what_can_be_read_at() -> None:
    with LocalChain.start(kept_states=5) as chain:
        chain.mine(20)
        assert chain.request("eth_getBalance", SOMEONE, hex(18)) == "0x0"
        with pytest.raises(NodeRefusedError):
            chain.request("eth_getBalance", SOMEONE, hex(3))


def test_start_on_a_taken_port_raises_and_leaves_nothing(chain: LocalChain) -> None:
    port = int(chain.url.rsplit(":", 1)[1])
    with pytest.raises(NodeUnreachableError, match="did not start"):
        LocalChain.start(port=port)
    assert chain.request("eth_chainId") == "0x539"


def test_start_when_an_option_is_wrong_raises_what_anvil_says() -> None:
    with pytest.raises(NodeUnreachableError, match="no-such-hardfork"):
        LocalChain.start(hardfork="no-such-hardfork")


def test_start_when_the_state_file_is_missing_raises(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no state file"):
        LocalChain.start(state=tmp_path / "missing.json")


def test_accounts_are_as_many_as_asked_and_funded() -> None:
    with LocalChain.start(accounts=12) as chain:
        assert len(chain.accounts) == 12
        assert {_balance(chain, account.address) for account in chain.accounts} == {10_000 * 10**18}


def test_reorg_gives_other_blocks_also_of_empty_ones_at_the_lowest_base_fee(chain: LocalChain) -> None:
    chain.mine(200)
    before = _head(chain)
    chain.reorg(2)
    once = _head(chain)
    chain.reorg(2)
    assert len({before, once, _head(chain)}) == 3
    assert before[0] == once[0]
