"""Whatever is asked of the book and of requests for quotes: no 5xx, no answer outside the schema, nothing
without a token, and what is sent again is done once."""

from __future__ import annotations

import random
from typing import Any

import pytest
import schemathesis
from app.signed_book.settle_chain import USDC, WETH
from hypothesis import settings
from schemathesis import GenerationMode
from server.schema_cases import check_operation, list_cases, many, relaxed
from server.signed_server import BookServed

OPERATIONS = (
    ("/book", "GET"),
    ("/book/orders", "POST"),
    ("/book/orders", "GET"),
    ("/book/orders/{digest}", "GET"),
    ("/book/orders/{digest}/withdrawal", "POST"),
    ("/book/requests", "GET"),
    ("/book/requests/{request_id}/quotes", "POST"),
    ("/book/requests/{request_id}/quotes/{digest}/withdrawal", "POST"),
    ("/rfq", "POST"),
    ("/rfq/{request_id}", "GET"),
    ("/rfq/{request_id}/take", "POST"),
)
CASES = list_cases(OPERATIONS, taking_input=("/book/orders", "/rfq"))
fewer = settings(relaxed, max_examples=2)


@pytest.fixture(scope="module")
def schema(shared: BookServed) -> Any:
    return schemathesis.openapi.from_dict(shared.desk.get("/openapi.json").json())


def count_effects(shared: BookServed) -> tuple[int, int, int]:
    """Return how many changes, requests and orders there are."""
    journal, book = shared.context.journal, shared.service.book
    return book.read_snapshot(0)[0], len(shared.service.quotes.list_open()), len(journal.read_orders())


def test_schema_names_every_operation(schema: Any) -> None:
    found = {(path, method.upper()) for path in schema for method in schema[path]}
    assert {item for item in found if item[0].startswith(("/book", "/rfq"))} == set(OPERATIONS)


@pytest.mark.parametrize(("path", "method", "mode"), [case for case in CASES if case[1] == "POST"])
def test_operation_any_request_is_answered_within_the_schema(
    shared: BookServed, schema: Any, path: str, method: str, mode: GenerationMode
) -> None:
    check_operation(shared.desk, schema[path][method], mode, fewer, lambda: count_effects(shared))


@pytest.mark.deep
@pytest.mark.parametrize(("path", "method", "mode"), CASES)
def test_operation_many_requests_are_answered_within_the_schema(
    shared: BookServed, schema: Any, path: str, method: str, mode: GenerationMode
) -> None:
    check_operation(shared.desk, schema[path][method], mode, many, lambda: count_effects(shared))


def test_any_replay_of_orders_takes_each_in_once(served: BookServed, rng: random.Random) -> None:
    chain = served.chain
    orders = [chain.order(maker=number % 3, amount_in=WETH + number) for number in range(5)]
    bodies = [served.body(order) for order in orders]
    sent = rng.choices(range(5), k=20)
    answers = [served.maker.post("/book/orders", json=bodies[number]).status_code for number in sent]
    assert answers.count(201) == len(set(sent))
    assert answers.count(200) == 20 - len(set(sent))
    assert len(served.service.book.list_open(chain.now)) == len(set(sent))


def test_any_replay_of_a_request_and_its_settlement_trades_once(
    served: BookServed, rng: random.Random
) -> None:
    chain = served.chain
    wish = {"client_order_id": "again", "sell": "WETH", "buy": "USDC", "amount": "1"}
    pair = {"token_in": chain.usdc.address, "token_out": chain.weth.address}
    order = chain.order(**pair, amount_in=2_000 * USDC, amount_out=WETH)
    deeds = [
        lambda: served.desk.post("/rfq", json=wish),
        lambda: served.maker.post("/book/requests/again/quotes", json=served.body(order)),
        lambda: served.desk.post("/rfq/again/take", json={}),
    ]
    for deed in (*deeds, *rng.choices(deeds, k=9)):
        assert deed().status_code < 500
    (settled,) = served.context.journal.read_orders()
    assert settled.state.value == "FILLED"
    assert len(served.context.journal.read_slots()) == 1
