"""A chain of one's own for tests, demos and simulations, driven without an event loop."""

from __future__ import annotations

import gzip
import http.client
import itertools
import json
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, Unpack

from onchain_exec.chain.local.anvil import AnvilOptions, AnvilProcess, DevAccount
from onchain_exec.chain.wire import decode_reply, encode_request
from onchain_exec.core import Address
from onchain_exec.errors import NodeUnreachableError, StateError

_REQUEST_TIMEOUT_S: Final = 60.0
_POLL_S: Final = 0.002


class LocalChain:
    """An anvil process and a blocking connection to it; ends with its owner, however that ends.

    Made by `start` or `fork`; use it as a context manager, or `close` it. One thread at a time.
    """

    def __init__(self, options: AnvilOptions, accounts: tuple[DevAccount, ...] = ()) -> None:
        self._process = AnvilProcess(options)
        self._options = options
        self._connection = http.client.HTTPConnection(
            "127.0.0.1", self._process.port, timeout=_REQUEST_TIMEOUT_S
        )
        self._ids = itertools.count(1)
        self.url = f"http://127.0.0.1:{self._process.port}"
        self.accounts = accounts or self._process.accounts
        with ExitStack() as starting:
            starting.callback(self.close)
            self.chain_id = int(self.request("eth_chainId"), 16)
            # Its log goes to a file that nobody reads: without this it grows with each request.
            self.request("anvil_setLoggingEnabled", False)
            starting.pop_all()

    @classmethod
    def start(cls, **options: Unpack[AnvilOptions]) -> Self:
        """Start a chain.

        Raises:
            ConfigError: ``state`` names no file.
            MissingToolError: anvil is not installed.
            NodeUnreachableError: anvil refused an option or did not answer.
        """
        return cls(options)

    def fork(self, state: Path | None = None) -> LocalChain:
        """Return a new chain that begins as this one is now; writes to one are not seen by the other.

        The same blocks, balances and nonces, and the same test accounts. Any account can send
        through ``eth_sendTransaction``. It reads what it needs from this chain, which must live as
        long as the fork. Past blocks of this chain stay readable.

        With ``state``, a file of `dump_state`, it begins as this one was then, and asks it for nothing.
        """
        options: AnvilOptions = {
            "chain_id": self.chain_id,
            # anvil would set the balances of its own accounts back to 10,000 ether, and derive their keys.
            "accounts": 0,
            "extra": ("--auto-impersonate",),
        }
        if state:
            options["state"] = state
        else:
            options["fork_url"] = self.url
            options["extra"] += ("--no-rate-limit",)
        if hardfork := self._options.get("hardfork"):
            options["hardfork"] = hardfork
        return LocalChain(options, self.accounts)

    def __repr__(self) -> str:
        return f"LocalChain(url={self.url!r}, chain_id={self.chain_id})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """Process id of anvil itself."""
        return self._process.pid

    def close(self) -> None:
        """End the process and wait until it is gone."""
        self._connection.close()
        self._process.end()

    def request(self, method: str, *params: Any) -> Any:
        """Return the result of one JSON-RPC request.

        Raises:
            NodeUnreachableError: the process is gone or does not answer.
            NodeRefusedError: anvil answered with an error.
        """
        request_id = next(self._ids)
        try:
            self._connection.request(
                "POST",
                "/",
                encode_request(request_id, (method, params)),
                {"Content-Type": "application/json"},
            )
            body = self._connection.getresponse().read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise NodeUnreachableError(
                f"{self.url} gave no answer to {method}: {type(error).__name__}",
                needed="a running local chain",
                todo="Start it again; a closed LocalChain stays closed",
            ) from error
        return decode_reply(body, request_id, method, self.url)

    def snapshot(self) -> str:
        """Return the id of a snapshot of the whole state. Each can be reverted to once."""
        return str(self.request("evm_snapshot"))

    def revert(self, snapshot_id: str) -> None:
        """Go back to a snapshot; it and those taken after it are used up.

        Raises:
            StateError: there is no such snapshot (any more).
        """
        if not self.request("evm_revert", snapshot_id):
            raise StateError(f"no snapshot {snapshot_id}", needed="one that was not reverted to yet")

    def mine(self, blocks: int = 1) -> None:
        """Mine blocks at once."""
        self.request("anvil_mine", hex(blocks))

    def settle(self) -> None:
        """Wait until what was sent and can be mined is mined: anvil answers a send before its block.

        Raises:
            StateError: nothing mines here, or not within a minute.
        """
        deadline = time.monotonic() + _REQUEST_TIMEOUT_S
        while int(self.request("txpool_status")["pending"], 16):
            if time.monotonic() > deadline:
                raise StateError(
                    "transactions are still pending", needed="a chain that mines", todo="mine() a block"
                )
            time.sleep(_POLL_S)

    def reorg(self, depth: int) -> None:
        """Replace the newest ``depth`` blocks by as many empty ones. Their transactions are lost."""
        miner = self.request("eth_getBlockByNumber", "latest", False)["miner"]
        # Without another miner, empty blocks at the lowest base fee come out as they were, hash and all.
        self.request("anvil_setCoinbase", f"0x{next(self._ids):040x}")
        self.request("anvil_reorg", depth, [])
        self.request("anvil_setCoinbase", miner)

    def set_balance(self, address: Address, balance_wei: int) -> None:
        """Set an account's native balance."""
        self.request("anvil_setBalance", address, hex(balance_wei))

    def set_code(self, address: Address, code: bytes) -> None:
        """Put runtime bytecode at an address."""
        self.request("anvil_setCode", address, "0x" + code.hex())

    def set_next_timestamp(self, at: int) -> None:
        """Set the timestamp (unix seconds) of the next block; it must not lie before the head's."""
        self.request("evm_setNextBlockTimestamp", at)

    def increase_time(self, seconds: int) -> None:
        """Move the chain's clock forward; the next block shows it."""
        self.request("evm_increaseTime", seconds)

    def dump_state(self, path: Path) -> None:
        """Write the chain to a file; ``start(state=path)`` goes on from the same head. What every load and
        every block would pay for stays behind: the traces and outputs of its transactions, which are most of
        a dump, and slots that hold zero, half of a pool's (a fork's hide what its parent holds)."""
        dumped = bytes.fromhex(self.request("anvil_dumpState")[2:])
        state = json.loads(gzip.decompress(dumped))
        for mined in state["transactions"]:
            mined["info"] |= {"traces": [], "out": None}
        if not self._options.get("fork_url"):
            for account in state["accounts"].values():
                slots = account["storage"].items()
                account["storage"] = {slot: word for slot, word in slots if int(word, 16)}
        path.write_text(json.dumps(state, separators=(",", ":")))
