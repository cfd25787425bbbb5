"""Whatever fits the schema, and what does not: no 5xx, no answer outside the schema, nothing without the
token, and what is sent again is done once."""

import pytest
import schemathesis
from hypothesis import given, settings
from hypothesis import strategies as st
from server.schema_cases import check_operation, few, list_cases, many, relaxed

OPERATIONS = (
    ("/orders", "POST"),
    ("/orders", "GET"),
    ("/orders/{name}", "GET"),
    ("/orders/{name}", "DELETE"),
    ("/switches", "GET"),
    ("/switches/{scope}", "PUT"),
    ("/positions", "GET"),
    ("/metrics", "GET"),
)
CASES = list_cases(OPERATIONS, taking_input=("/orders",))


@pytest.fixture
def schema(served):
    return schemathesis.openapi.from_dict(served.client.get("/openapi.json").json())


def test_schema_names_every_operation(schema):
    found = {(path, method.upper()) for path in schema for method in schema[path]}
    assert found == set(OPERATIONS)


@pytest.mark.parametrize(("path", "method", "mode"), CASES)
def test_operation_any_request_is_answered_within_the_schema(served, schema, path, method, mode):
    check_operation(served.client, schema[path][method], mode, few, lambda: served.signer.signed)


@pytest.mark.deep
@pytest.mark.parametrize(("path", "method", "mode"), CASES)
def test_operation_many_requests_are_answered_within_the_schema(served, schema, path, method, mode):
    check_operation(served.client, schema[path][method], mode, many, lambda: served.signer.signed)


orders = st.fixed_dictionaries(
    {
        "client_order_id": st.sampled_from(["a", "b", "c"]),
        "sell": st.just("WETH"),
        "buy": st.just("USDC"),
        "amount": st.sampled_from(["1", "2"]),
    },
    optional={
        "limit_price": st.sampled_from(["1500", "2500"]),
        "slices": st.just(2),
        "interval_s": st.just(12),
        "fill_or_kill": st.booleans(),
    },
)


@settings(relaxed, max_examples=10)
@given(requests=st.lists(orders, min_size=1, max_size=8))
async def test_submit_any_replay_of_requests_fills_no_id_twice(served, requests):
    accepted = {}
    for body in requests * 2:
        response = served.client.post("/orders", json=body)
        if response.status_code == 201:
            assert body["client_order_id"] not in accepted
            accepted[body["client_order_id"]] = body
        await served.trade()
    for name, body in accepted.items():
        shown = served.client.get(f"/orders/{name}").json()
        filled = [child for child in shown["orders"] if child["fill"]]
        assert sum(int(child["fill"]["amount_in"]) for child in filled) <= int(body["amount"]) * 10**18
