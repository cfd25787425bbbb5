"""The lying node: a proxy in a thread of its own, driven without an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from threading import Thread
from types import TracebackType
from typing import Any, Final, Self

from onchain_exec.testing.lying_node.exchange import Call
from onchain_exec.testing.lying_node.faults import Fault
from onchain_exec.testing.lying_node.mempool import MempoolModel
from onchain_exec.testing.lying_node.proxy import Proxy
from onchain_exec.testing.lying_node.rules import Rule, Rules
from onchain_exec.testing.lying_node.server import Server
from onchain_exec.testing.lying_node.sockets import Sockets
from onchain_exec.testing.lying_node.transcript import Transcript
from onchain_exec.testing.lying_node.upstream import Upstream

_START_TIMEOUT_S: Final = 10.0


class LyingNode:
    """A node that lies on demand, in front of an honest one (``upstream_url``, over HTTP).

    It listens on loopback, on a free port unless ``port`` says another, for HTTP at ``url`` and for
    WebSockets at ``ws_url``, so that code under test, other threads and other processes reach it as
    they reach a node. Use it as a context manager, or `close` it. Thread-safe.

        with LyingNode.start(chain.url, seed=7) as node:
            node.lie(ResetAfter(), "eth_sendRawTransaction", nth=1)
            ...                                     # the code under test, against node.url
            assert len(node.transcript.of("eth_sendRawTransaction")) == 1

    The same seed and the same calls give the same transcript.
    """

    def __init__(
        self, upstream_url: str, *, seed: int = 0, port: int = 0, mempool: MempoolModel | None = None
    ) -> None:
        self.transcript = Transcript()
        self._mempool = mempool
        self._rules = Rules(seed)
        self._upstream = Upstream(upstream_url)
        self._started: Future[int] = Future()
        self._thread = Thread(target=lambda: asyncio.run(self._serve(port)), name="lying-node", daemon=True)
        self._thread.start()
        self.port = self._started.result(_START_TIMEOUT_S)
        self.url, self.ws_url = f"http://127.0.0.1:{self.port}", f"ws://127.0.0.1:{self.port}"

    @classmethod
    def start(
        cls, upstream_url: str, *, seed: int = 0, port: int = 0, mempool: MempoolModel | None = None
    ) -> Self:
        """Return a running node without rules: until the first it only tells the truth.

        With ``mempool`` the node is an anvil and answers as a geth: see `MempoolModel`.

        Raises:
            OSError: the port is taken.
        """
        return cls(upstream_url, seed=seed, port=port, mempool=mempool)

    def __repr__(self) -> str:
        return f"LyingNode(url={self.url!r}, upstream={self._upstream.url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening and drop every connection. Closing it twice does nothing."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()

    def lie(
        self,
        fault: Fault,
        method: str = "*",
        *,
        nth: int | None = None,
        times: int | None = None,
        probability: float = 1.0,
        when: Callable[[Call], bool] | None = None,
    ) -> Rule:
        """Put a fault into force for the calls that a `Rule` of these arguments selects."""
        return self._rules.add(Rule(fault, method, nth, times, probability, when))

    def lying(self, fault: Fault, method: str = "*", **selection: Any) -> AbstractContextManager[Rule]:
        """Keep a fault in force inside a ``with`` block; arguments as of `lie`."""
        return self._rules.during(Rule(fault, method, **selection))

    def clear(self, rule: Rule | None = None) -> None:
        """Take a rule out of force, or all. A call that hangs already goes on hanging."""
        self._rules.clear(rule)

    async def _serve(self, port: int) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        sockets = Sockets(self._upstream)
        if self._mempool:
            self._mempool.attach(self._upstream, sockets)
        server = Server(Proxy(self._mempool or self._upstream, self._rules, self.transcript), sockets)
        try:
            self._started.set_result(await server.start(port))
            await self._stop.wait()
        except OSError as error:
            self._started.set_exception(error)
        finally:
            if self._mempool:
                await self._mempool.detach()
            await server.close()
            await self._upstream.close()
