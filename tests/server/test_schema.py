"""Whatever fits the schema, and what does not: no 5xx, no answer outside the schema, nothing without the
token, and what is sent again is done once."""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from server.conftest import TOKEN

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
CASES = [
    (path, method, mode)
    for path, method in OPERATIONS
    for mode in GenerationMode
    if mode is GenerationMode.POSITIVE or "{" in path or path == "/orders"  # the others take nothing
]
relaxed = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.generate],
)
few = settings(relaxed, max_examples=6)


@pytest.fixture
def schema(served):
    return schemathesis.openapi.from_dict(served.client.get("/openapi.json").json())


def test_schema_names_every_operation(schema):
    found = {(path, method.upper()) for path in schema for method in schema[path]}
    assert found == set(OPERATIONS)


@pytest.mark.parametrize(("path", "method", "mode"), CASES)
def test_operation_any_request_is_answered_within_the_schema(served, schema, path, method, mode):
    check_operation(served, schema[path][method], mode, few)


@pytest.mark.deep
@pytest.mark.parametrize(("path", "method", "mode"), CASES)
def test_operation_many_requests_are_answered_within_the_schema(served, schema, path, method, mode):
    check_operation(served, schema[path][method], mode, settings(relaxed, max_examples=500))


def check_operation(served, operation, mode, profile):
    """Send what the schema describes (or its opposite), with the token and without."""

    documented = {*operation.definition.raw["responses"], "404", "405", "422"}

    @profile
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case):
        response = call(served.client, case, {"Authorization": f"Bearer {TOKEN}"})
        assert response.status_code < 500, response.text
        assert str(response.status_code) in documented
        signed = served.signer.signed
        stranger = call(served.client, case, {"Authorization": "Bearer none"})
        assert (stranger.status_code, served.signer.signed) == (401, signed)

    check()


def call(client, case, headers):
    """Send a case through the client, in this process."""
    sent = case.as_transport_kwargs(base_url="http://testserver")
    return client.request(
        sent["method"],
        sent["url"],
        params=sent.get("params"),
        json=sent.get("json"),
        content=sent.get("data"),
        headers={**(sent.get("headers") or {}), **headers},
    )


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
