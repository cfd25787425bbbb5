"""Requests for quotes: the best is settled, once; what is late, unsigned, unfunded or worse is refused."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from app.signed_book.settle_chain import USDC, WETH, SettleChain
from server.rfq.quoting import answer, ask, held, quote, take
from server.signed_server import BookServed, serve_book

from onchain_exec.app.path import actions
from onchain_exec.app.rfq import desk
from onchain_exec.app.signed_book import Verifier
from onchain_exec.clearing.settle import Flags, Scheme, SettleOrder, Signed
from onchain_exec.errors import OrderRefusedError
from onchain_exec.oms import SwitchState

CONSENTS = bytes.fromhex("631626ba7e60e01b60005260206000f3")


def test_take_best_of_several_is_settled_once_and_the_journal_agrees(served: BookServed) -> None:
    chain = served.chain
    told = ask(served, "one")
    assert (told["taker_pays"], told["taker_gets"]) == (chain.weth.address, chain.usdc.address)
    assert served.maker.get("/book/requests").json()["requests"] == [told]
    for maker, usdc in enumerate((1_990, 2_010, 2_000)):
        assert quote(served, "one", answer(chain, maker, usdc)).status_code == 201
    shown = served.desk.get("/rfq/one").json()
    assert [int(found["amount_out"]) // USDC for found in shown["quotes"]] == [2_010, 2_000, 1_990]
    before = held(chain, chain.trader.address)
    taken = take(served, "one")
    assert (taken.status_code, taken.json()["state"]) == (200, "FILLED"), taken.text
    after = held(chain, chain.trader.address)
    assert after[chain.weth] == before[chain.weth] - WETH
    assert after[chain.usdc] == before[chain.usdc] + 2_010 * USDC
    again = take(served, "one")
    assert again.json()["tx_hash"] == taken.json()["tx_hash"]
    assert held(chain, chain.trader.address) == after
    assert served.desk.get("/rfq/one").json()["order"]["state"] == "FILLED"
    positions = {item["token"]: item["amount"] for item in served.desk.get("/positions").json()["positions"]}
    assert positions == {chain.weth.address: str(-WETH), chain.usdc.address: str(2_010 * USDC)}
    assert served.maker.get("/book/requests").json()["requests"] == []
    late = quote(served, "one", answer(chain, 3, 3_000))
    assert (late.status_code, late.json()["reason"]) == (400, "late")
    taken_id = served.desk.post(
        "/rfq", json={"client_order_id": "one", "sell": "WETH", "buy": "USDC", "amount": "1"}
    )
    assert (taken_id.status_code, taken_id.json()["code"]) == (409, "DuplicateOrderError")


def test_take_exact_output_from_a_part_of_an_order_pays_the_least(shared: BookServed) -> None:
    chain = shared.chain
    ask(shared, "out", amount="500", exact="out", limit_base_units=str(WETH // 3))
    quote(shared, "out", answer(chain, 0, 4_100, 2 * WETH, flags=Flags.EXACT_OUT))
    quote(shared, "out", answer(chain, 1, 3_900, 2 * WETH))
    before = held(chain, chain.trader.address)
    taken = take(shared, "out")
    assert taken.json()["state"] == "FILLED", taken.text
    after = held(chain, chain.trader.address)
    assert after[chain.usdc] - before[chain.usdc] == 500 * USDC
    assert before[chain.weth] - after[chain.weth] == -(-2 * WETH * 500 // 4_100)


def test_take_a_named_quote_though_another_is_better(shared: BookServed) -> None:
    ask(shared, "named")
    worse = quote(shared, "named", answer(shared.chain, 0, 1_900)).json()
    quote(shared, "named", answer(shared.chain, 1, 2_100))
    taken = take(shared, "named", worse["digest"])
    assert taken.json()["state"] == "FILLED", taken.text
    assert "1900000000 USDC" in str(taken.json()["action"])


def foreign(chain: SettleChain) -> SettleOrder:
    return answer(chain, matcher=chain.makers[1].address)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda chain: chain.order(), "wrong_pair"),
        (lambda chain: answer(chain, token_in=chain.deployment.tokens["DAI"].address), "wrong_pair"),
        (lambda chain: answer(chain, deadline_at=chain.now + 30), "expires_early"),
        (foreign, "foreign_matcher"),
        (lambda chain: answer(chain, receiver=chain.trader.address), "bad_receiver"),
        (lambda chain: answer(chain, receiver=chain.contract), "bad_receiver"),
        (lambda chain: answer(chain, weth=WETH // 2), "too_small"),
        (lambda chain: answer(chain, 0, 3_000, WETH + 1, flags=Flags.FILL_OR_KILL), "not_whole"),
        (lambda chain: answer(chain, usdc=1_499), "worse_than_limit"),
        (lambda chain: answer(chain, usdc=600_000), "balance_short"),
    ],
)
def test_offer_that_is_no_answer_is_refused_with_its_reason(
    shared: BookServed, make: Callable[[SettleChain], SettleOrder], reason: str
) -> None:
    ask(shared, "refused", limit_base_units=str(1_500 * USDC))
    refused = quote(shared, "refused", make(shared.chain))
    assert (refused.status_code, refused.json()["reason"]) == (400, reason), refused.text
    nothing = take(shared, "refused")
    assert (nothing.status_code, nothing.json()["reason"]) == (400, "no_quote")


def test_offer_unsigned_replayed_or_of_a_passed_lane_is_refused(shared: BookServed) -> None:
    chain = shared.chain
    ask(shared, "first")
    used = answer(chain)
    unsigned = quote(shared, "first", used, chain.sign(used, chain.makers[1]))
    assert unsigned.json()["reason"] == "not_signed"
    assert quote(shared, "first", used).status_code == 201
    assert take(shared, "first").json()["state"] == "FILLED"
    ask(shared, "second")
    assert quote(shared, "second", used).json()["reason"] == "used_up"
    cancelled = answer(chain, 1)
    chain.cancel(cancelled)
    assert quote(shared, "second", cancelled).json()["reason"] == "lane_passed"
    assert quote(shared, "unknown", used).status_code == 404


def test_offer_a_maker_may_better_its_own_and_not_worsen_it(shared: BookServed) -> None:
    chain = shared.chain
    ask(shared, "promise")
    first = quote(shared, "promise", answer(chain, 0, 2_000)).json()
    worse = quote(shared, "promise", answer(chain, 0, 1_999))
    assert worse.json()["reason"] == "worse_than_promised"
    better = quote(shared, "promise", answer(chain, 0, 2_001)).json()
    assert [found["digest"] for found in shared.desk.get("/rfq/promise").json()["quotes"]] == [
        better["digest"]
    ]
    path = f"/book/requests/promise/quotes/{better['digest']}/withdrawal"
    digest = bytes.fromhex(better["digest"][2:])

    def withdraw(maker: int) -> Any:
        word = chain.sign_withdrawal(digest, chain.makers[maker])
        return shared.maker.post(path, json={"signature": "0x" + word.signature.hex()})

    assert withdraw(1).json()["reason"] == "not_signed"
    assert withdraw(0).status_code == 200
    assert withdraw(0).status_code == 404
    assert take(shared, "promise").json()["reason"] == "no_quote"
    assert take(shared, "promise", first["digest"]).status_code == 404
    assert quote(shared, "promise", answer(chain, 0, 1_999)).status_code == 201


def withdraw(served: BookServed, path: str, order: SettleOrder) -> Any:
    """Take an order or a quote back on its owner's word."""
    digest = served.chain.domain.get_digest(order)
    maker = next(one for one in served.chain.makers if one.address == order.owner)
    word = served.chain.sign_withdrawal(digest, maker)
    return served.maker.post(
        f"{path}/0x{digest.hex()}/withdrawal", json={"signature": "0x" + word.signature.hex()}
    )


def test_offer_that_its_maker_withdrew_does_not_come_back(shared: BookServed) -> None:
    chain = shared.chain
    ask(shared, "back")
    order = answer(chain, 0)
    assert quote(shared, "back", order).status_code == 201
    assert withdraw(shared, "/book/requests/back/quotes", order).status_code == 200
    assert quote(shared, "back", order).json()["reason"] == "withdrawn"
    rested = answer(chain, 1)
    shared.submit(rested)
    assert withdraw(shared, "/book/orders", rested).status_code == 200
    assert quote(shared, "back", rested).json()["reason"] == "withdrawn"
    later = answer(chain, 2)
    shared.submit(later)
    assert quote(shared, "back", later).status_code == 201
    assert withdraw(shared, "/book/orders", later).status_code == 200
    assert take(shared, "back").status_code == 404
    assert take(shared, "back").json()["reason"] == "no_quote"


@pytest.mark.parametrize("step", ["verify", "settle"])
def test_withdraw_while_it_is_taken_holds_or_is_refused(
    shared: BookServed, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain, quotes = shared.chain, shared.service.quotes
    ask(shared, step)
    order = answer(chain)
    assert quote(shared, step, order).status_code == 201
    digest, told = chain.domain.get_digest(order), []

    async def withdraw_first(*arguments: Any) -> Any:
        if step == "settle":  # brought again, it is the same one
            turn = quotes.rounds.require(step)
            turn.offers |= {owner: replace(offer) for owner, offer in turn.offers.items()}
        try:
            await quotes.withdraw(step, digest, chain.sign_withdrawal(digest, chain.makers[0]))
            told.append("withdrawn")
        except OrderRefusedError as error:
            told.append(error.reason)
        return await going_on(*arguments)

    place: Any = Verifier if step == "verify" else desk
    going_on = getattr(place, step)
    monkeypatch.setattr(place, step, withdraw_first)
    before = held(chain, chain.trader.address)
    taken = take(shared, step)
    if step == "verify":
        assert (told, taken.status_code) == (["withdrawn"], 404)
        assert held(chain, chain.trader.address) == before
    else:
        assert (told, taken.json()["state"]) == (["late"], "FILLED")


def test_ask_same_again_is_the_same_request_and_other_terms_are_not(shared: BookServed) -> None:
    told = ask(shared, "again")
    assert ask(shared, "again") == told
    wish = {"client_order_id": "again", "sell": "WETH", "buy": "USDC", "amount": "2"}
    other = shared.desk.post("/rfq", json=wish)
    assert (other.status_code, other.json()["code"]) == (409, "DuplicateOrderError")


def test_take_quote_cancelled_on_chain_since_is_a_typed_failure_and_nothing_is_lost(
    shared: BookServed,
) -> None:
    chain = shared.chain
    ask(shared, "gone")
    best, next_best = answer(chain, 0, 2_100), answer(chain, 1, 2_000)
    for order in (best, next_best):
        quote(shared, "gone", order)
    chain.cancel(best)
    before = held(chain, chain.trader.address)
    failed = take(shared, "gone")
    assert (failed.status_code, failed.json()["reason"]) == (400, "lane_passed")
    assert held(chain, chain.trader.address) == before
    assert shared.context.journal.find_order("gone") is None
    taken = take(shared, "gone")  # the taker's own second choice
    assert taken.json()["state"] == "FILLED", taken.text
    assert held(chain, chain.trader.address)[chain.usdc] == before[chain.usdc] + 2_000 * USDC


def cancel_after(step: str, chain: SettleChain, order: SettleOrder, patch: pytest.MonkeyPatch) -> None:
    """Let the maker cancel once a step of the taker's path is done."""
    done = getattr(actions, step)

    async def cancel_meanwhile(*arguments: Any) -> Any:
        made = await done(*arguments)
        chain.cancel(order)
        return made

    patch.setattr(actions, step, cancel_meanwhile)


def test_take_quote_cancelled_while_it_is_simulated_is_rejected_and_costs_nothing(
    shared: BookServed, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = shared.chain
    ask(shared, "raced")
    order = answer(chain)
    quote(shared, "raced", order)
    cancel_after("build", chain, order, monkeypatch)
    sent = chain.chain.request("eth_getTransactionCount", chain.trader.address, "latest")
    failed = take(shared, "raced")
    assert (failed.status_code, "SeqPassed" in failed.json()["found"]) == (409, True), failed.text
    again = take(shared, "raced").json()
    assert (again["state"], again["tx_hash"]) == ("REJECTED", None)
    assert chain.chain.request("eth_getTransactionCount", chain.trader.address, "latest") == sent


def test_take_quote_cancelled_while_it_is_sent_fails_on_chain_and_costs_gas_alone(
    shared: BookServed, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = shared.chain
    ask(shared, "late")
    order = answer(chain)
    quote(shared, "late", order)
    cancel_after("make_durable", chain, order, monkeypatch)
    before = held(chain, chain.trader.address)
    failed = take(shared, "late").json()
    assert (failed["state"], failed["failure"]["code"]) == ("FAILED", "REVERTED")
    assert "SeqPassed" in failed["failure"]["found"]
    assert held(chain, chain.trader.address) == before
    assert take(shared, "late").json()["tx_hash"] == failed["tx_hash"]


def test_take_without_money_is_denied_and_nothing_signed(shared: BookServed) -> None:
    chain = shared.chain
    ask(shared, "poor", amount="99999")
    quote(shared, "poor", answer(chain, 0, 1, 10**5 * WETH))
    denied = take(shared, "poor").json()
    assert (denied["state"], denied["tx_hash"]) == ("DENIED", None)
    assert denied["failure"]["code"] == "BALANCE_BELOW_AMOUNT"


@pytest.mark.parametrize("venue", ["settle_rfq", "settle"])
def test_take_while_the_settling_of_quotes_is_stopped_is_refused_and_the_quote_stays(
    shared: BookServed, venue: str
) -> None:
    journal, request_id = shared.context.journal, f"halted.{venue}"
    ask(shared, request_id)
    quote(shared, request_id, answer(shared.chain))
    journal.append_switch(f"venue:{venue}", SwitchState.KILLED, "a drill")
    refused = take(shared, request_id)
    assert (refused.status_code, refused.json()["code"]) == (409, "HaltedError"), refused.text
    assert journal.find_order(request_id) is None
    journal.append_switch(f"venue:{venue}", SwitchState.RUNNING)
    assert take(shared, request_id).json()["state"] == "FILLED"


def test_take_at_the_same_time_settles_once(shared: BookServed) -> None:
    chain = shared.chain
    ask(shared, "race")
    for maker in range(2):
        quote(shared, "race", answer(chain, maker))
    before, answers = held(chain, chain.trader.address), []
    threads = [
        threading.Thread(target=lambda: answers.append(take(shared, "race").json()["tx_hash"]))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(answers)) == 1
    assert held(chain, chain.trader.address)[chain.weth] == before[chain.weth] - WETH


def test_take_that_a_stop_left_unsigned_goes_on_under_its_terms(
    settle_chain: SettleChain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stop(context: Any, verdict: Any) -> None:
        """Stand for the end of the process after the order was accepted."""

    with serve_book(settle_chain, tmp_path) as before:
        ask(before, "stopped")
        quote(before, "stopped", answer(settle_chain))
        with monkeypatch.context() as stopping:
            stopping.setattr(actions, "_execute", stop)
            assert take(before, "stopped").json()["state"] == "NEW"
    held_before = held(settle_chain, settle_chain.trader.address)
    with serve_book(settle_chain, tmp_path) as after:
        for _ in range(2):
            assert take(after, "stopped").json()["state"] == "FILLED"
        assert after.desk.get("/rfq/stopped").json()["request"] is None
        assert take(after, "unknown").status_code == 404
    gained = held(settle_chain, settle_chain.trader.address)[settle_chain.usdc]
    assert gained == held_before[settle_chain.usdc] + 2_000 * USDC


def test_rank_a_wallets_gas_counts_against_it(shared: BookServed) -> None:
    chain = shared.chain
    maker = chain.makers[5]
    chain.chain.set_code(maker.address, CONSENTS)
    ask(shared, "wallet", sell="USDC", buy="WETH", amount="2000")
    plain = chain.order(maker=4, amount_in=WETH, amount_out=2_000 * USDC)
    by_code = chain.order(maker=5, amount_in=WETH, amount_out=2_000 * USDC)
    first = quote(shared, "wallet", by_code, Signed(Scheme.ERC1271, b"\x01" * 65)).json()
    second = quote(shared, "wallet", plain).json()
    assert first["amount_out"] == second["amount_out"]
    assert int(first["net"]) < int(second["net"]) < WETH
    shown = shared.desk.get("/rfq/wallet").json()["quotes"]
    assert [found["digest"] for found in shown] == [second["digest"], first["digest"]]


def test_live_requests_reach_makers_as_they_are_made(served: BookServed) -> None:
    open_before = ask(served, "before")
    with served.maker.websocket_connect("/book/requests/live") as socket:
        assert socket.receive_json() == open_before
        told = ask(served, "during")
        assert socket.receive_json() == told


def test_makers_token_neither_asks_nor_takes(shared: BookServed) -> None:
    ask(shared, "mine")
    for path in ("/rfq", "/rfq/mine/take"):
        assert shared.maker.post(path, json={}).status_code == 403
    assert shared.maker.get("/rfq/mine").status_code == 403
