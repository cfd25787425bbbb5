"""``private_only`` is a promise: whatever relays do, no public endpoint ever sees the bytes, and each order
ends as the chain says. Catalogue entries 61 (an orphaned block shows its transactions), 63 (never included),
64 (private and public broadcast mixed), 67 ("nonce too low" from a relay ahead), 70 (an acknowledgement
proves nothing)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from chain_facts import balance_of, nonce_of
from few_venues import without

from onchain_exec import Desk, LocalSigner, OrderState, Policy, Request
from onchain_exec.app.path import run
from onchain_exec.app.path.context import Step
from onchain_exec.app.sandbox import Sandbox
from onchain_exec.app.sandbox.chain_evm import ChainEvm
from onchain_exec.core import Address
from onchain_exec.core.fixed_point import MAX_UINT256
from onchain_exec.errors import ConfigError
from onchain_exec.execution import Signature
from onchain_exec.execution.channels import Channel, ChannelPolicy
from onchain_exec.oms import Journal
from onchain_exec.testing.lying_node import LyingNode
from onchain_exec.testing.relay import LocalRelay, Whim
from onchain_exec.venues.erc20 import APPROVE
from onchain_exec.venues.permit2 import PERMIT2

SOLD = 10**18
CHANNELS = {"protected endpoint": ("private", 1), "relay": ("relay", 1), "three builders": ("relay", 3)}


class Market:
    """A chain whose public endpoint writes down what it hears, and relays that build its blocks."""

    def __init__(self, fork: Sandbox, public: LyingNode, relays: list[LocalRelay], role: str) -> None:
        self.fork, self.public, self.relays = fork, public, relays
        self.urls = " ".join([public.url, *(f"{role}+{relay.url}" for relay in relays)])
        self.weth, self.trader = fork.profile.tokens["WETH"], fork.trader.address
        for protocol, contract in (("onchain_exec", "router"), ("uniswap_v3", "swap_router")):
            self.allow(fork.profile.protocols[protocol][contract], MAX_UINT256)
        self.had, self.nonce = balance_of(fork, self.weth, self.trader), nonce_of(fork, self.trader)
        self.pooled: list[int] = []

    def allow(self, spender: Address, amount: int) -> None:
        self.fork.chain.request("evm_setAutomine", True)
        ChainEvm(self.fork.chain).call(self.trader, self.weth.address, APPROVE.encode(spender, amount))
        self.fork.chain.request("evm_setAutomine", False)

    def open_desk(
        self,
        folder: Path,
        *,
        build: bool,
        private_only: bool = True,
        signer: LocalSigner | None = None,
        channels: ChannelPolicy = ChannelPolicy(),  # noqa: B008 - it is frozen
        unknown: tuple[str, ...] = ("uniswap_v4", "balancer_v2"),
    ) -> Desk:
        """Open a desk for which a block is built as soon as it has sent; else it waits in vain."""

        def observe(step: Step, _: object) -> None:
            if step is Step.SENT:
                self.pooled.append(int(self.fork.chain.request("txpool_status")["pending"], 16))
                if build:
                    self.build()
                    self.behave()

        return Desk.connect(
            self.urls,
            signer=signer or LocalSigner(self.fork.trader.key),
            journal=folder / "journal.sqlite",
            profile=without(self.fork.profile, *unknown),
            policy=Policy(
                private_only=private_only, confirm_timeout_s=20 if build else 0.2, channels=channels
            ),
            observe=observe,
        )

    def behave(self, *whims: Whim) -> None:
        for relay in self.relays:
            relay.behave(*whims)

    def build(self) -> None:
        """A relay may still be on its way to hear what the first has taken, so each builds a block."""
        for relay in self.relays:
            relay.build()

    def require_nothing_public(self) -> None:
        heard = [entry.call for entry in self.public.transcript.of("*")]
        given = [a.params[0] for relay in self.relays for a in relay.asked if "cancel" not in a.method]
        raws = [one.get("tx") or one["txs"][0] if isinstance(one, dict) else one for one in given]
        assert raws, "the relays were asked"
        assert not [call for call in heard if any(raw in str(call.params) for raw in raws)]
        assert not self.public.transcript.of("eth_send*")

    def require_executed_once(self) -> None:
        assert self.had - balance_of(self.fork, self.weth, self.trader) == SOLD
        assert nonce_of(self.fork, self.trader) == self.nonce + 1


DEEP = pytest.mark.deep
EVERY_CHANNEL = [
    pytest.param(channel, id=name, marks=() if name == "three builders" else DEEP)
    for name, channel in CHANNELS.items()
]


@pytest.fixture(params=EVERY_CHANNEL)
def market(fork: Sandbox, request: pytest.FixtureRequest) -> Iterator[Market]:
    role, count = request.param
    with ExitStack() as running:
        public = running.enter_context(LyingNode.start(fork.url))
        relays = [running.enter_context(LocalRelay.start(fork.url)) for _ in range(count)]
        yield Market(fork, public, relays, role)


def test_private_only_sell_is_filled_and_no_public_endpoint_saw_it(market: Market, tmp_path: Path) -> None:
    with market.open_desk(tmp_path, build=True) as desk:
        order = desk.sell("WETH", "1", buy="USDC")
    assert order.state is OrderState.FILLED
    assert market.pooled == [0], "nothing waited in the pool while the relay held it"
    market.require_nothing_public()
    market.require_executed_once()


@pytest.mark.parametrize(
    "whim",
    [Whim.IGNORE, Whim.WRONG_NONCE, *(pytest.param(whim, marks=DEEP) for whim in (Whim.LATE, Whim.DOWN))],
)
def test_private_only_sell_that_relays_fail_stays_private_and_executes_once(
    market: Market, whim: Whim, tmp_path: Path
) -> None:
    market.behave(whim)
    with market.open_desk(tmp_path, build=False) as desk:
        assert desk.sell("WETH", "1", buy="USDC").state is OrderState.WORKING
        market.relays[0].build()
        market.behave()
        for _ in range(10):
            desk.recover()
            market.build()
            (order,) = desk.orders()
            if order.state is OrderState.FILLED:
                break
        assert order.state is OrderState.FILLED
    market.require_nothing_public()
    market.require_executed_once()


def test_private_only_sell_that_relays_leak_is_still_not_sent_by_us(market: Market, tmp_path: Path) -> None:
    market.behave(Whim.LEAK, Whim.IGNORE)
    with market.open_desk(tmp_path, build=True) as desk:
        assert desk.sell("WETH", "1", buy="USDC").state is OrderState.FILLED
    assert market.pooled == [1], "a relay gave it away"
    market.require_nothing_public()
    market.require_executed_once()


@pytest.mark.parametrize("market", [CHANNELS["relay"]], indirect=True)
def test_private_only_trades_in_one_transaction_stay_private_for_a_desk_that_is_not(
    market: Market, tmp_path: Path
) -> None:
    market.behave(Whim.IGNORE)
    sold = {"USDC": "0.3", "DAI": "0.3", "WBTC": "0.4"}
    sales = [Request("WETH", buy, amount, max_slippage_bps=50) for buy, amount in sold.items()]
    with market.open_desk(tmp_path, build=False) as desk:
        assert desk.submit_all(*sales).state is OrderState.WORKING
    market.relays[0].build()
    market.behave()
    with market.open_desk(tmp_path, build=False, private_only=False) as desk:
        desk.recover()
        market.build()
        desk.recover()
        (order,) = desk.orders()
    assert order.state is OrderState.FILLED
    market.require_nothing_public()
    assert market.had - balance_of(market.fork, market.weth, market.trader) == SOLD


@pytest.mark.parametrize("market", [CHANNELS["relay"]], indirect=True)
@pytest.mark.parametrize(
    ("amount", "slippage_bps", "end"), [("1", 1, OrderState.FILLED), ("60", 100, OrderState.CANCELLED)]
)
def test_private_only_sell_in_an_orphaned_block_is_repriced_or_cancelled_privately(
    market: Market, tmp_path: Path, amount: str, slippage_bps: int, end: OrderState
) -> None:
    """What was in the orphan is public now: whoever saw it may be around it in the next block. What nobody
    gains by attacking is sent again for more; the rest is taken back."""
    with market.open_desk(tmp_path, build=True) as desk:
        first = desk.sell("WETH", amount, buy="USDC", max_slippage_bps=slippage_bps)
        assert first.state is OrderState.FILLED
        market.relays[0].orphan()
        market.fork.chain.request("anvil_dropAllTransactions")
        desk.recover()
        (order,) = desk.orders()
        assert order.state is end
        assert order.tx_hash != first.tx_hash or end is OrderState.CANCELLED
    market.require_nothing_public()


@pytest.mark.parametrize("market", [CHANNELS["relay"]], indirect=True)
def test_private_only_sell_that_a_stop_left_unsigned_stays_private_for_a_desk_that_is_not(
    market: Market, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stop comes before the first choice of a channel; small as it is, public would cost less."""

    async def die(*_: Any) -> None:
        raise KilledError

    with monkeypatch.context() as killing, market.open_desk(tmp_path, build=True) as desk:
        killing.setattr(run, "execute", die)
        with pytest.raises(KilledError):
            desk.sell("WETH", "1", buy="USDC")
    with market.open_desk(tmp_path, build=True, private_only=False) as desk:
        assert [order.state for order in desk.orders()] == [OrderState.NEW]
        desk.recover()
        assert [order.state for order in desk.orders()] == [OrderState.FILLED]
    market.require_nothing_public()
    market.require_executed_once()


class KilledError(Exception):
    """The process ends here."""


class SignsNoMessages(LocalSigner):
    async def sign_typed_data(self, message: Mapping[str, Any]) -> Signature:
        raise AssertionError(f"a {message['primaryType']} was signed, for a node to simulate")


@pytest.mark.parametrize("market", [CHANNELS["relay"]], indirect=True)
def test_private_only_sell_signs_no_permit_that_a_node_would_see(market: Market, tmp_path: Path) -> None:
    for protocol, contract in (("onchain_exec", "router"), ("uniswap_v3", "swap_router")):
        market.allow(market.fork.profile.protocols[protocol][contract], 0)
    market.allow(PERMIT2, MAX_UINT256)
    signer = SignsNoMessages(market.fork.trader.key)
    with market.open_desk(tmp_path, build=True, signer=signer, unknown=("balancer_v2",)) as desk:
        assert (
            desk.sell("WETH", "1", buy="USDC").state is OrderState.FILLED
        )  # by our Router, which takes them
    assert market.pooled == [0, 0], "an approval and the swap, both private"
    market.require_nothing_public()


def test_private_only_desk_without_a_private_endpoint_does_not_open(fork: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no endpoint is private"):
        Desk.connect(
            fork.url,
            signer=LocalSigner(fork.trader.key),
            journal=tmp_path / "journal.sqlite",
            profile=fork.profile,
            policy=Policy(private_only=True),
        )


@pytest.mark.parametrize("market", [CHANNELS["relay"]], indirect=True)
def test_private_only_sell_that_a_relay_leaks_is_taken_back_at_once_where_it_can_be_attacked(
    market: Market, tmp_path: Path
) -> None:
    """The leak lies in the pool; the cancel goes to the relay, asks it to forget, and takes the nonce."""
    market.behave(Whim.LEAK)
    with market.open_desk(tmp_path, build=False) as desk:
        order = desk.sell("WETH", "60", buy="USDC", max_slippage_bps=100)
        assert order.state is OrderState.CANCEL_PENDING
        market.behave()
        market.fork.chain.request("anvil_dropAllTransactions")
        desk.recover()
        market.build()
        desk.recover()
        (order,) = desk.orders()
        assert order.state is OrderState.CANCELLED
    assert {asked.method for asked in market.relays[0].asked} >= {"eth_cancelBundle"}
    market.require_nothing_public()


@pytest.mark.parametrize("market", [CHANNELS["relay"]], indirect=True)
def test_private_only_sell_by_bundles_is_offered_anew_for_the_next_block(
    market: Market, tmp_path: Path
) -> None:
    market.behave(Whim.IGNORE)
    channels = ChannelPolicy(frozenset({Channel.BUNDLE}))
    with market.open_desk(tmp_path, build=True, channels=channels) as desk:
        assert desk.sell("WETH", "1", buy="USDC").state is OrderState.FILLED
    offers = [a.params[0] for a in market.relays[0].asked if a.method == "eth_sendBundle"]
    assert len(offers) == 2
    assert int(offers[1]["blockNumber"], 16) == int(offers[0]["blockNumber"], 16) + 1
    assert all(offers[0][name] == offers[1][name] for name in ("txs", "replacementUuid"))
    market.require_nothing_public()
    market.require_executed_once()


@pytest.mark.parametrize("market", [CHANNELS["relay"]], indirect=True)
def test_private_only_sell_by_bundles_that_is_withdrawn_meanwhile_is_not_offered_again(
    market: Market, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process withdraws it while the desk waits: its bytes go nowhere any more."""
    build = market.build

    def build_and_withdraw() -> None:
        build()
        with Journal.open(tmp_path / "journal.sqlite") as other:
            other.append_cancel(other.read_orders()[0].order_id)

    monkeypatch.setattr(market, "build", build_and_withdraw)
    market.behave(Whim.IGNORE)
    with market.open_desk(tmp_path, build=True, channels=ChannelPolicy(frozenset({Channel.BUNDLE}))) as desk:
        assert desk.sell("WETH", "1", buy="USDC").state is OrderState.CANCEL_PENDING
    assert [asked.method for asked in market.relays[0].asked].count("eth_sendBundle") == 1
    market.require_nothing_public()
