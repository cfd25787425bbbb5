"""The lying node: a proxy in a thread of its own, driven without an event loop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from typing import Any, Self

from onchain_exec.testing.background import BackgroundServer
from onchain_exec.testing.lying_node.exchange import Call
from onchain_exec.testing.lying_node.faults import Fault
from onchain_exec.testing.lying_node.mempool import MempoolModel
from onchain_exec.testing.lying_node.proxy import Proxy
from onchain_exec.testing.lying_node.rules import Rule, Rules
from onchain_exec.testing.lying_node.server import Server
from onchain_exec.testing.lying_node.sockets import Sockets
from onchain_exec.testing.lying_node.transcript import Transcript
from onchain_exec.testing.lying_node.upstream import Upstream


class LyingNode(BackgroundServer):
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
        self._wanted_port = port
        self.port = self._start("lying-node")
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

    @asynccontextmanager
    async def _serve(self) -> AsyncIterator[int]:
        sockets = Sockets(self._upstream)
        if self._mempool:
            self._mempool.attach(self._upstream, sockets)
        server = Server(Proxy(self._mempool or self._upstream, self._rules, self.transcript), sockets)
        async with AsyncExitStack() as resources:
            resources.push_async_callback(self._upstream.close)
            port = await resources.enter_async_context(server.serve(self._wanted_port))
            if self._mempool:
                resources.push_async_callback(self._mempool.detach)
            yield port
