"""``onchain-exec route``: a file of pools in, exact hops and a bound out, no node anywhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_runner import Cli

from onchain_exec.core import Exact
from onchain_exec.venues.pool_file import pool_set_from_json

WETH, USDC, DAI = ("0x" + digit * 40 for digit in "123")
FILE = {
    "chain_id": 1,
    "block_number": "19000000",
    "block_hash": "0x" + "ab" * 32,
    "tokens": [
        {"address": WETH, "symbol": "WETH", "decimals": 18},
        {"address": USDC, "symbol": "USDC", "decimals": 6},
        {"address": DAI, "symbol": "DAI", "decimals": 18},
    ],
    "pools": [
        {
            "kind": "uniswap_v2",
            "address": "0x" + f"{number:040x}",
            "tokens": list(tokens),
            "reserves": [str(reserve) for reserve in reserves],
            "fee_pips": "3000",
        }
        for number, (tokens, reserves) in enumerate(
            [
                ((WETH, USDC), (1_000 * 10**18, 3_000_000 * 10**6)),
                ((WETH, USDC), (500 * 10**18, 1_503_000 * 10**6)),
                ((WETH, DAI), (2_000 * 10**18, 6_010_000 * 10**18)),
                ((USDC, DAI), (5_000_000 * 10**6, 5_000_000 * 10**18)),
            ],
            start=100,
        )
    ],
}


@pytest.fixture
def offline(tmp_path: Path) -> Cli:
    (tmp_path / "pools.json").write_text(json.dumps(FILE))
    return Cli("http://127.0.0.1:9", tmp_path / "journal.sqlite")


TRADE = ("route", "--pools-file", "pools.json", "--sell", "WETH", "--buy", "usdc")


def test_route_settles_in_integers_under_its_bound(offline: Cli) -> None:
    found = offline.json(*TRADE, "--amount-in", str(50 * 10**18))
    pools = {pool.key: pool for pool in pool_set_from_json(FILE).pools}
    out = 0
    for hop in found["hops"]:
        pool = pools[hop["pool"]]
        tokens = {token.address: token for token in pool.tokens}
        swap = pool.swap(tokens[hop["token_in"]], tokens[hop["token_out"]], int(hop["amount_in"]), Exact.IN)
        assert swap.amount_out == int(hop["amount_out"])
        pools[hop["pool"]] = swap.pool_after
        out += int(hop["amount_out"]) if hop["token_out"].lower() == USDC else 0
    assert out == int(found["amount_out"]) <= int(found["bound"])
    assert 0 <= found["gap_bps"] < 0.001
    assert len(found["hops"]) > 2


@pytest.mark.parametrize("price", [("--gas-price-wei", 400 * 10**9), ("--hop-data-wei", 4 * 10**16)])
def test_route_when_gas_or_data_is_dear_uses_fewer_pools(price: tuple[str, int], offline: Cli) -> None:
    free = offline.json(*TRADE, "--amount-in", str(10**18))
    gas = (price[0], str(price[1]), "--gas-token-price", "3000")
    dear = offline.json(*TRADE, "--amount-in", str(10**18), *gas)
    assert len(dear["hops"]) == 1 < len(free["hops"])
    assert int(dear["amount_out"]) <= int(free["amount_out"])


def test_route_with_its_proof_is_the_same_document_with_one_more_key(offline: Cli) -> None:
    gas = ("--gas-price-wei", str(20 * 10**9), "--gas-token-price", "3000")
    terms = (*TRADE, "--amount-in", str(50 * 10**18))
    plain, proven = offline.json(*terms, *gas), offline.json(*terms, *gas, "--proof")
    proof = proven.pop("proof")
    assert proven == plain
    assert set(proof["pools"]) >= {hop["pool"] for hop in plain["hops"]}
    assert set(proof["tokens"]) == set(plain["prices"])
    assert all(len(valuation["prices"]) == len(proof["tokens"]) for valuation in proof["valuations"])
    assert "close_at" in proof["steps"][-1]
    assert "proof" not in offline.json(*terms, "--proof")


def test_route_of_an_exact_output_takes_at_least_its_bound(offline: Cli) -> None:
    found = offline.json(*TRADE, "--amount-out", str(30_000 * 10**6))
    assert int(found["amount_out"]) == 30_000 * 10**6
    assert int(found["amount_in"]) >= int(found["bound"])


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((*TRADE, "--amount-in", "1.5"), "AmountError"),
        ((*TRADE, "--amount-in", "9" * 5_000), "AmountError"),
        (TRADE, "InputError"),
        ((*TRADE[:-1], "NOPE", "--amount-in", "1"), "InputError"),
        ((*TRADE, "--amount-in", "1", "--gas-price-wei", "1"), "InputError"),
        (("route", "--pools-file", "absent.json", *TRADE[3:], "--amount-in", "1"), "InputError"),
    ],
)
def test_route_of_bad_input_is_told(arguments: tuple[str, ...], code: str, offline: Cli) -> None:
    assert offline.json(*arguments, expect=2)["error"]["code"] == code


def test_route_is_drawn_with_the_share_and_costs_of_each_hop(offline: Cli) -> None:
    shown = offline.run(*TRADE, "--amount-in", str(50 * 10**18)).stdout
    assert "Flow" in shown
    assert "30.00 bps" in shown


@pytest.mark.parametrize("name", ["flow.bmp", "flow", "nowhere/flow.svg"])
def test_route_plot_that_cannot_be_written_is_refused(name: str, offline: Cli) -> None:
    error = offline.json(*TRADE, "--amount-in", str(50 * 10**18), "--plot", name, expect=2)["error"]
    assert name in error["found"]


def test_route_plot_writes_a_picture(offline: Cli) -> None:
    offline.json(*TRADE, "--amount-in", str(50 * 10**18), "--plot", "flow.svg")
    assert (offline.journal.parent / "flow.svg").read_text().count("uniswap_v2") > 2


BASKET = ("basket", "--pools-file", "pools.json")


def test_basket_of_two_sold_gives_more_than_one_after_the_other(offline: Cli) -> None:
    amounts = {"WETH": 5 * 10**18, "DAI": 9_000 * 10**18}
    sell = [word for token, amount in amounts.items() for word in ("--sell", f"{token}={amount}")]
    found = offline.json(*BASKET, *sell, "--buy", "USDC")
    assert found["amounts_in"] == {WETH: str(amounts["WETH"]), DAI: str(amounts["DAI"])}
    assert int(found["amounts_out"][USDC]) <= int(found["bound"])
    assert 0 <= found["gap_bps"] < 0.001
    shown = offline.run(*BASKET, *sell, "--buy", "USDC").stdout
    assert "5 WETH + 9000 DAI" in shown.replace(",", "").replace(".000000000000000000", "")
    assert "Hops" in shown


def test_basket_of_two_bought_takes_at_least_its_bound(offline: Cli) -> None:
    found = offline.json(*BASKET, "--buy", f"USDC={10**9}", "--buy", f"DAI={10**21}", "--sell", "WETH")
    assert int(found["amounts_out"][USDC]) >= 10**9
    assert int(found["amounts_out"][DAI]) >= 10**21
    assert int(found["amounts_in"][WETH]) >= int(found["bound"])


@pytest.mark.parametrize(
    "sides",
    [
        ("--sell", "WETH=1", "--buy", "USDC", "--buy", "DAI"),
        ("--sell", "WETH", "--buy", "USDC"),
        ("--sell", "WETH=1", "--sell", "WETH=2", "--buy", "USDC"),
        ("--sell", "WETH=1", "--buy", "WETH"),
    ],
)
def test_basket_of_bad_input_is_told(sides: tuple[str, ...], offline: Cli) -> None:
    assert offline.json(*BASKET, *sides, expect=2)["error"]["code"] in {"InputError", "AmountError"}


def test_arbitrage_of_a_cycle_prints_legs_that_gain(offline: Cli) -> None:
    found = offline.json("arbitrage", "--pools-file", "pools.json", "--token", "WETH")
    pools = {pool.key: pool for pool in pool_set_from_json(FILE).pools}
    gained = 0
    for leg in found["legs"]:
        for hop in leg:
            pool = pools[hop["pool"]]
            tokens = {token.address: token for token in pool.tokens}
            done = pool.swap(
                tokens[hop["token_in"]], tokens[hop["token_out"]], int(hop["amount_in"]), Exact.IN
            )
            assert done.amount_out == int(hop["amount_out"])
            pools[hop["pool"]] = done.pool_after
        gained += int(leg[-1]["amount_out"]) - int(leg[0]["amount_in"])
    assert gained == int(found["profit"])
    assert gained <= int(found.get("bound", "0"))
