"""Several relays as one: each asked once, each judged by what it did, none believed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from onchain_exec.chain import LocalChain
from onchain_exec.chain.relays import Bundle, PrivateTx, Relay, RelayIdentity, Relays
from onchain_exec.errors import ConfigError, NodeRefusedError, NodeUnreachableError
from onchain_exec.testing.relay import LocalRelay, Whim

NAMES = ("one", "two")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def builders(chain: LocalChain) -> Iterator[dict[str, LocalRelay]]:
    with LocalRelay.start(chain.url) as one, LocalRelay.start(chain.url) as two:
        yield dict(zip(NAMES, (one, two), strict=True))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def relays(builders: dict[str, LocalRelay], clock: Clock) -> AsyncIterator[Relays]:
    identity = RelayIdentity()
    connected = [Relay(builder.url, identity, name=name) for name, builder in builders.items()]
    async with Relays(connected, clock) as several:
        yield several


class Slow(Relay):
    """Takes two turns of the loop to close, and is closed wherever it is cancelled then."""

    is_open = True

    async def close(self) -> None:
        try:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        finally:
            self.is_open = False


@pytest.mark.parametrize("turns", range(1, 8))
async def test_close_that_is_cancelled_closes_every_relay_nevertheless(turns: int) -> None:
    several = [Slow("http://127.0.0.1:1", RelayIdentity(), name=name) for name in NAMES]
    closing = asyncio.create_task(Relays(several).close())
    for _ in range(turns):
        await asyncio.sleep(0)
    closing.cancel()
    await asyncio.wait([closing])
    assert [relay.is_open for relay in several] == [False, False]


def sign(chain: LocalChain) -> tuple[PrivateTx, str]:
    transaction = {"from": chain.accounts[0].address, "to": chain.accounts[1].address, "gas": hex(21_000)}
    fees = {"maxFeePerGas": hex(10**10), "maxPriorityFeePerGas": hex(10**9), "nonce": "0x0", "value": "0x1"}
    raw = bytes.fromhex(chain.request("eth_signTransaction", transaction | fees)[2:])
    return PrivateTx(raw), "0x" + chain.request("web3_sha3", "0x" + raw.hex())[2:]


async def test_relays_hand_the_same_to_each_and_name_who_said_what(
    chain: LocalChain, builders: dict[str, LocalRelay], relays: Relays
) -> None:
    tx, tx_hash = sign(chain)
    builders["two"].behave(Whim.WRONG_NONCE)
    taken, refused = await relays.send_private(tx)
    assert (taken.where, taken.reply) == ("one", tx_hash)
    assert refused.where == "two"
    assert isinstance(refused.reply, NodeRefusedError)
    assert [len(builder.asked) for builder in builders.values()] == [1, 1]


async def test_relays_count_inclusion_only_for_who_acknowledged_and_once(
    chain: LocalChain, builders: dict[str, LocalRelay], relays: Relays
) -> None:
    tx, tx_hash = sign(chain)
    builders["two"].behave(Whim.DOWN)
    await relays.send_private(tx)
    assert relays.records["one"].included_share == 0, "an acknowledgement is no inclusion"
    for _ in range(2):
        relays.note_included(tx_hash)
    assert relays.records["one"].included_share == 1
    assert relays.records["two"].included == 0


async def test_relay_that_fails_three_times_rests_and_is_asked_again_later(
    builders: dict[str, LocalRelay], relays: Relays, clock: Clock
) -> None:
    builders["two"].behave(Whim.DOWN)
    for _ in range(3):
        _, failed = await relays.cancel_bundle("a")
        assert isinstance(failed.reply, NodeUnreachableError)
    bundle = Bundle((b"\x02",), 1)
    assert [delivery.where for delivery in await relays.send_bundle(bundle)] == ["one"]
    assert len(await relays.cancel_bundle("a")) == 2, "what rests may hold what is to be cancelled"
    clock.now += 30
    assert len(await relays.send_bundle(bundle)) == 2


async def test_relays_that_all_rest_are_asked_all_the_same(
    builders: dict[str, LocalRelay], relays: Relays
) -> None:
    for builder in builders.values():
        builder.behave(Whim.DOWN)
    for _ in range(3):
        await relays.cancel_private("0x00")
    assert len(await relays.cancel_private("0x00")) == 2
    assert len(await relays.send_bundle(Bundle((b"\x02",), 1))) == 2


@pytest.mark.parametrize("names", [(), ("a", "a")])
def test_relays_without_names_of_their_own_raise(names: tuple[str, ...]) -> None:
    identity = RelayIdentity()
    with pytest.raises(ConfigError, match="names"):
        Relays([Relay("http://127.0.0.1:1", identity, name=name) for name in names])
