"""Signed orders over HTTP and WebSocket: taken in once, refused with a reason, withdrawn, and told on."""

from __future__ import annotations

from typing import Any

import pytest
from app.signed_book.settle_chain import WETH, SettleChain
from server.signed_server import BookServed
from starlette.websockets import WebSocketDisconnect

from onchain_exec.clearing.settle import Lane, Signed
from onchain_exec.server.rates import MOST_BYTES


def digest_of(chain: SettleChain, order: Any) -> str:
    return "0x" + chain.domain.get_digest(order).hex()


def test_describe_tells_what_to_sign_for(shared: BookServed) -> None:
    told = shared.maker.get("/book").json()
    assert (told["chain_id"], told["contract"]) == (1337, shared.chain.contract)
    assert {token["symbol"] for token in told["tokens"]} == {"WETH", "USDC", "WBTC", "DAI"}


def test_submit_order_is_shown_listed_and_the_same_again(served: BookServed) -> None:
    order = served.chain.order()
    booked = served.submit(order)
    assert (booked["state"], booked["digest"]) == ("open", digest_of(served.chain, order))
    again = served.maker.post("/book/orders", json=served.body(order))
    assert (again.status_code, again.json()) == (200, booked)
    assert served.maker.get(f"/book/orders/{booked['digest']}").json() == booked | {"fills": []}
    other = served.submit(served.chain.order(maker=1))
    assert served.maker.get("/book/orders").json()["orders"] == [other, booked]
    owned = served.maker.get("/book/orders", params={"owner": order.owner, "limit": 1})
    assert owned.json()["orders"] == [booked]


@pytest.mark.parametrize("v", [0, 27])
def test_submit_signature_of_65_bytes_is_a_wallets(shared: BookServed, v: int) -> None:
    order = shared.chain.order()
    signature = shared.chain.sign(order).signature
    vs = int.from_bytes(signature[32:])
    long = signature[:32] + (vs & (1 << 255) - 1).to_bytes(32) + bytes([v + (vs >> 255)])
    body = shared.body(order) | {"signed": {"signature": "0x" + long.hex()}}
    assert shared.maker.post("/book/orders", json=body).status_code == 201


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"amount_in": 10**30}, "balance_short"),
        ({"deadline_at": 1}, "expired"),
        ({"token_out": "0x" + "11" * 20}, "token_not_listed"),
    ],
)
def test_submit_order_that_cannot_be_settled_is_refused_with_all_that_helps(
    shared: BookServed, terms: dict[str, Any], reason: str
) -> None:
    before = shared.service.book.list_open(shared.chain.now)
    refused = shared.maker.post("/book/orders", json=shared.body(shared.chain.order(**terms)))
    problem = refused.json()
    assert (refused.status_code, problem["code"], problem["reason"]) == (400, "OrderRefusedError", reason)
    assert all(problem[part] for part in ("found", "needed", "todo"))
    assert shared.service.book.list_open(shared.chain.now) == before


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"amount_in": "0"}, 400, "InputError"),
        ({"amount_in": str(2**128)}, 400, "InputError"),
        ({"owner": "0x" + "Ab" * 20}, 400, "AddressError"),
        ({"lane": 2**32}, 422, None),
        ({"seq": "1"}, 422, None),
        ({"surprise": 1}, 422, None),
    ],
    ids=str,
)
def test_submit_terms_that_no_order_has_are_refused(
    shared: BookServed, change: dict[str, Any], status: int, code: str | None
) -> None:
    body = shared.body(shared.chain.order())
    body["order"] |= change
    refused = shared.maker.post("/book/orders", json=body)
    assert (refused.status_code, refused.json().get("code")) == (status, code)


@pytest.mark.parametrize(
    "signed",
    [
        {"signature": "0x" + "11" * 63},
        {"signature": "0x" + "11" * 64 + "1d"},
        {"scheme": "presign", "signature": "0x11"},
    ],
    ids=lambda signed: len(signed["signature"]),
)
def test_submit_signature_that_cannot_be_is_refused(shared: BookServed, signed: dict[str, str]) -> None:
    refused = shared.maker.post("/book/orders", json=shared.body(shared.chain.order()) | {"signed": signed})
    assert (refused.status_code, refused.json()["code"]) == (400, "InputError")


def test_withdraw_by_the_owners_word_ends_it_here(shared: BookServed) -> None:
    booked = shared.submit(shared.chain.order())
    digest, (owner, other) = booked["digest"], shared.chain.makers[:2]

    def send(account: Any) -> Any:
        word: Signed = shared.chain.sign_withdrawal(bytes.fromhex(digest[2:]), account)
        body = {"signature": "0x" + word.signature.hex()}
        return shared.maker.post(f"/book/orders/{digest}/withdrawal", json=body)

    refused = send(other)
    assert (refused.status_code, refused.json()["reason"]) == (400, "not_signed")
    assert shared.maker.get(f"/book/orders/{digest}").json()["state"] == "open"
    assert send(owner).json()["state"] == "cancelled"
    assert send(owner).status_code == 200


def test_unknown_order_is_no_order(shared: BookServed) -> None:
    assert shared.maker.get(f"/book/orders/0x{'11' * 32}").status_code == 404
    assert shared.maker.get("/book/orders/0x11").status_code == 422


def test_changes_begin_with_what_rests_and_go_on_without_a_gap(served: BookServed) -> None:
    first = served.submit(served.chain.order())
    with served.maker.websocket_connect("/book/changes") as socket:
        begun = socket.receive_json()
        assert begun == {"after": None, "number": 1, "orders": [first]}
        second = served.submit(served.chain.order())
        assert socket.receive_json() == {"after": 1, "number": 2, "orders": [second]}
        order = served.chain.order()
        third = served.submit(order)
        assert socket.receive_json()["number"] == 3
        served.service.book.record_lanes({(order.owner, order.lane): Lane(order.seq, WETH // 2)}, 9)
        told = socket.receive_json()
        assert (told["after"], told["number"]) == (3, 4)
        assert (told["orders"][0]["digest"], told["orders"][0]["state"]) == (third["digest"], "partly_filled")
    with served.maker.websocket_connect("/book/changes?after=2") as socket:
        missed = socket.receive_json()
        assert (missed["after"], missed["number"], len(missed["orders"])) == (2, 4, 1)
    with served.maker.websocket_connect("/book/changes?after=99") as socket:  # of another book
        anew = socket.receive_json()
        assert (anew["after"], anew["number"], len(anew["orders"])) == (None, 4, 3)


def test_changes_every_listener_is_told(served: BookServed) -> None:
    with (
        served.maker.websocket_connect("/book/changes") as one,
        served.desk.websocket_connect("/book/changes") as other,
    ):
        booked = served.submit(served.chain.order())
        for socket in (one, other):
            assert socket.receive_json()["orders"] == []
            assert socket.receive_json()["orders"] == [booked]


@pytest.mark.parametrize(
    "path", ["/orders", "/switches", "/positions", "/metrics", "/openapi.json", "/bookkeeping"]
)
def test_makers_token_opens_nothing_but_the_book(shared: BookServed, path: str) -> None:
    refused = shared.maker.get(path)
    assert (refused.status_code, refused.json()["code"]) == (403, "Forbidden")
    switched = shared.maker.put("/switches/all", json={"state": "KILLED"})
    assert switched.status_code == 403
    with pytest.raises(WebSocketDisconnect), shared.maker.websocket_connect("/events"):
        pass


def test_body_beyond_its_limit_is_not_read(shared: BookServed) -> None:
    refused = shared.desk.post("/book/orders", content=b" " * (MOST_BYTES + 1))
    assert (refused.status_code, refused.json()["code"]) == (413, "BodyTooLarge")
    assert shared.desk.post("/book/orders", content=b" " * MOST_BYTES).status_code == 422
