"""The consolidated price at the desk and on the command line, and the limit that is held to it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from cli_runner import Cli
from eth_abi import encode
from few_venues import with_few_venues

from onchain_exec import Desk, Limits, LocalSigner, OrderState, Policy
from onchain_exec.app.sandbox import Sandbox
from onchain_exec.app.sandbox.chain_evm import ChainEvm
from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.core import Address, to_address
from onchain_exec.core.abi import Function
from onchain_exec.core.artifact import get_artifact
from onchain_exec.pricing import SourceKind
from onchain_exec.venues.prices import Feed


def add_feed(fork: Sandbox, usd: int, description: str = "ETH / USD") -> Feed:
    """Deploy a feed that always answers the same, now."""
    evm = ChainEvm(fork.chain)
    feed = evm.deploy(get_artifact("FeedStandIn").bytecode + encode(["uint8", "int256"], [8, usd * 10**8]))
    evm.call(DEPLOYER, feed, Function("describe(string)").encode(description))
    return Feed(feed, 3_600, description)


def open_desk(
    fork: Sandbox,
    folder: Path,
    usd: int | None,
    sequencer: Address | None = None,
    feeds: dict[str, Feed] | None = None,
    **limits: int | None,
) -> Desk:
    """Return a desk on a chain whose ether feed answers ``usd``; None: that has the ``feeds`` given."""
    if usd is not None:
        feeds = {"WETH": add_feed(fork, usd), "USDC": add_feed(fork, 1, "USDC / USD")}
    return Desk.connect(
        fork.url,
        signer=LocalSigner(fork.trader.key),
        journal=folder / "journal.sqlite",
        profile=replace(with_few_venues(fork.profile), feeds=feeds or {}, sequencer_feed=sequencer),
        policy=Policy(limits=Limits(max_impact_bps=1_000, **limits)),  # type: ignore[arg-type]
    )


def test_price_of_a_token_in_itself_is_refused(cli: Cli) -> None:
    error = cli.json("price", "WETH", "weth", expect=2)["error"]
    assert (error["found"], error["needed"]) == ("WETH is priced in itself", "two different tokens")


def test_price_command_tells_every_source_with_age_and_divergence(cli: Cli) -> None:
    document = cli.json("price", "WETH", "USDC")
    kinds = [source["kind"] for source in document["sources"]]
    assert {"pool", "twap"} <= set(kinds)
    assert 2_950 < float(document["price"]) < 3_050
    for source in document["sources"]:
        assert (source["price"] is None) == bool(source["refusal"])
        assert source["price"] is None or float(source["divergence_bps"]) >= 0
    attack = document["twap_attack"]
    assert int(attack["capital"]) > 0
    assert "1 WETH = " in cli.run("price", "WETH", "USDC").stdout


def test_price_with_feeds_is_the_median_of_three_kinds(fork: Sandbox, tmp_path: Path) -> None:
    with open_desk(fork, tmp_path, 3_300) as desk:
        found = desk.price("WETH", "USDC").consolidated
    assert found.kinds[SourceKind.FEED] == Fraction(3_300 * 10**6, 10**18)
    assert found.price in (found.kinds[SourceKind.POOL], found.kinds.get(SourceKind.TWAP, found.price))


def test_price_while_the_sequencer_is_down_does_without_feeds(fork: Sandbox, tmp_path: Path) -> None:
    with open_desk(fork, tmp_path, 3_300, sequencer=add_feed(fork, 1).address) as desk:
        found = desk.price("WETH", "USDC").consolidated
    assert SourceKind.FEED not in found.kinds
    assert [s.refusal for s in found.sources if s.kind is SourceKind.FEED] == ["the sequencer is down"]


def test_sell_in_pools_that_somebody_moved_is_denied_by_the_feed(fork: Sandbox, tmp_path: Path) -> None:
    with open_desk(fork, tmp_path, None) as desk:
        assert desk.sell("WETH", "900", buy="USDC", max_slippage_bps=50).state is OrderState.FILLED
        assert desk.sell("WETH", "1", buy="USDC").state is OrderState.FILLED
    with open_desk(fork, tmp_path, 3_000, max_shortfall_bps=60) as desk:
        order = desk.sell("WETH", "1", buy="USDC")
    assert order.state is OrderState.DENIED
    assert order.failure is not None
    assert order.failure.code == "PRICE_SHORTFALL_EXCEEDS_MAXIMUM"
    assert "reference price" in order.failure.found


def test_sell_where_one_feed_is_wrong_goes_by_pools_and_their_means(fork: Sandbox, tmp_path: Path) -> None:
    fork.chain.request("evm_increaseTime", 2 * 3_600)
    fork.chain.mine()
    with open_desk(fork, tmp_path, 9_000, max_price_divergence_bps=None) as desk:
        found = desk.price("WETH", "USDC").consolidated
        order = desk.sell("WETH", "1", buy="USDC")
    assert set(found.kinds) == set(SourceKind)
    assert order.state is OrderState.FILLED


def test_sell_while_sources_diverge_beyond_the_limit_is_denied_with_both_numbers(
    fork: Sandbox, tmp_path: Path
) -> None:
    with open_desk(fork, tmp_path, 3_300, max_price_divergence_bps=100) as desk:
        order = desk.sell("WETH", "1", buy="USDC")
    assert order.state is OrderState.DENIED
    assert order.failure is not None
    assert (order.failure.code, order.failure.needed) == ("PRICE_DIVERGENCE_EXCEEDS_MAXIMUM", "100 bps")
    assert "bps off the consolidated price" in order.failure.found


@pytest.mark.parametrize("broken", ["nobody", "another"])
def test_price_where_a_feed_is_missing_or_of_something_else_has_one_source_less(
    broken: str, fork: Sandbox, tmp_path: Path
) -> None:
    nobody = Feed(to_address("0x" + "ee" * 20), 3_600, "ETH / USD")
    bitcoin = replace(add_feed(fork, 60_000, "BTC / USD"), description="ETH / USD")
    ether = nobody if broken == "nobody" else bitcoin
    feeds = {"WETH": ether, "USDC": add_feed(fork, 1, "USDC / USD")}
    with open_desk(fork, tmp_path, None, feeds=feeds) as desk:
        found = desk.price("WETH", "USDC").consolidated
    assert SourceKind.FEED not in found.kinds
    assert [bool(source.refusal) for source in found.sources if source.kind is SourceKind.FEED] == [True]


def test_sell_where_the_sequencers_feed_is_missing_trades_unless_three_kinds_are_asked_for(
    fork: Sandbox, tmp_path: Path
) -> None:
    nobody = to_address("0x" + "ee" * 20)
    with open_desk(fork, tmp_path, 3_000, nobody, min_price_kinds=3) as desk:
        denied = desk.sell("WETH", "1", buy="USDC")
    with open_desk(fork, tmp_path, 3_000, nobody) as desk:
        assert desk.sell("WETH", "1", buy="USDC").state is OrderState.FILLED
    assert denied.failure is not None
    assert denied.failure.code == "PRICE_SOURCES_BELOW_MINIMUM"
    assert "the sequencer's feed" in denied.failure.found


def test_price_of_a_source_older_than_the_limit_does_not_count(fork: Sandbox, tmp_path: Path) -> None:
    fork.chain.request("evm_increaseTime", 2 * 3_600)
    fork.chain.mine()
    with open_desk(fork, tmp_path, 3_000, max_price_age_s=899) as desk:
        found = desk.price("WETH", "USDC").consolidated
    assert set(found.kinds) == {SourceKind.POOL, SourceKind.FEED}
    assert any("900 s old, with a limit of 899 s" in refusal for refusal in found.refusals)
