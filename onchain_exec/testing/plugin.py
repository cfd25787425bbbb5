"""pytest fixtures for the tests of bots: a seeded local chain, and a fork of it for each test.

pytest imports this in every run of every project that has the package installed, so it imports
nothing of ours until a fixture is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from onchain_exec import Desk
    from onchain_exec.app.sandbox import Sandbox
    from onchain_exec.chain import DevAccount
    from onchain_exec.core import Address, Token
    from onchain_exec.testing.actors import Actor
    from onchain_exec.testing.lying_node import LyingNode


@pytest.fixture(scope="session")
def local_chain() -> Iterator[Sandbox]:
    """The sandbox: real protocols, seeded. Shared by the session's tests: read from it, write to a
    `fork`. Under pytest-xdist each worker has its own."""
    from onchain_exec.app.sandbox import Sandbox  # noqa: PLC0415 - see the module

    with Sandbox.start() as sandbox:
        yield sandbox


@pytest.fixture
def fork(local_chain: Sandbox) -> Iterator[Sandbox]:
    """A chain of this test's own, that begins as `local_chain` is."""
    with local_chain.fork() as sandbox:
        yield sandbox


@pytest.fixture
def trader(fork: Sandbox) -> DevAccount:
    """The funded account: ether, WETH, USDC, DAI, WBTC."""
    return fork.trader


@pytest.fixture
def tokens(fork: Sandbox) -> Mapping[str, Token]:
    """The sandbox's tokens by symbol."""
    return fork.deployment.tokens


@pytest.fixture
def protocols(fork: Sandbox) -> Mapping[str, Mapping[str, Address]]:
    """The contracts of each protocol by role: ``protocols["uniswap_v3"]["factory"]``."""
    return fork.deployment.protocols


@pytest.fixture
def desk(fork: Sandbox, trader: DevAccount, tmp_path: Path) -> Iterator[Desk]:
    """A desk of the trader on the fork, with a journal of its own."""
    from onchain_exec import Desk, LocalSigner  # noqa: PLC0415 - see the module

    signer = LocalSigner(trader.key)
    with Desk.connect(
        fork.url, signer=signer, journal=tmp_path / "journal.sqlite", profile=fork.profile
    ) as desk:
        yield desk


@pytest.fixture
def fund(fork: Sandbox) -> Callable[[str, str, str], None]:
    """``fund(account, "USDC", "2500.5")``: give an account of the fork more of a token."""
    from onchain_exec.core import parse_amount, to_address  # noqa: PLC0415 - see the module

    def give(account: str, symbol: str, amount: str) -> None:
        token = fork.deployment.tokens[symbol]
        fork.fund(to_address(account), token, parse_amount(amount, token))

    return give


@pytest.fixture
def whale(fork: Sandbox) -> Actor:
    """An account that sends without a key and has a million of everything: it moves markets."""
    from onchain_exec.testing.actors import make_whale  # noqa: PLC0415 - see the module

    return make_whale(fork)


@pytest.fixture
def lying_node(fork: Sandbox) -> Iterator[LyingNode]:
    """A node in front of the fork that tells the truth until a test says otherwise: ``lying_node.lie(
    ResetAfter(), "eth_sendRawTransaction")``. Give the code under test its ``url``."""
    from onchain_exec.testing.lying_node import LyingNode  # noqa: PLC0415 - see the module

    with LyingNode.start(fork.url) as node:
        yield node
