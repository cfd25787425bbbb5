"""Orders over HTTP: given once however often they are sent, followed to their fill, and stopped."""

from dataclasses import replace

import pytest
from engine.simulation import PROFILE
from prometheus_client.parser import text_string_to_metric_families
from server.conftest import serve_engine
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from onchain_exec.core import Call, Condition, to_address
from onchain_exec.errors import ConfigError
from onchain_exec.server.api import make_app
from onchain_exec.server.serve import require_token

STRANGER = to_address("0x" + "11" * 20)
ORDER = {"client_order_id": "one", "sell": "WETH", "buy": "USDC", "amount": "2", "max_slippage_bps": 30}


async def test_submit_order_is_traded_and_shown(served):
    given = served.client.post("/orders", json=ORDER)
    assert (given.status_code, given.json()["state"]) == (201, "NEW")
    await served.trade(blocks=2)
    await served.engine.turn(served.engine.lanes[0])
    shown = served.client.get("/orders/one").json()
    assert shown["state"] == "FILLED"
    assert shown["filled"] == str(2 * 10**18)
    assert [child["fill"]["amount_out"] for child in shown["orders"]] == [str(4_000 * 10**6)]
    positions = served.client.get("/positions").json()["positions"]
    assert {item["amount"] for item in positions} == {str(-2 * 10**18), str(4_000 * 10**6)}


async def test_submit_replayed_again_and_again_trades_once(served):
    first = served.client.post("/orders", json=ORDER).json()
    for _ in range(3):
        again = served.client.post("/orders", json=ORDER)
        assert (again.status_code, again.json()["order_id"]) == (200, first["order_id"])
        await served.trade()
    assert served.signer.signed == 1
    assert len(served.client.get("/orders").json()["orders"]) == 1


def test_submit_same_id_for_other_terms_conflicts(served):
    served.client.post("/orders", json=ORDER)
    refused = served.client.post("/orders", json=ORDER | {"amount": "3"})
    assert (refused.status_code, refused.json()["code"]) == (409, "DuplicateOrderError")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"reduce_only": True}, "UnsupportedOrderError"),
        ({"sell": "DOGE"}, "UnknownTokenError"),
        ({"amount": "0.0000000000000000001"}, "AmountError"),
        ({"amount_base_units": "1"}, "AmountError"),
        ({"replaces": "nothing"}, "InputError"),
        ({"chain_id": 5}, "InputError"),
        ({"accounts": ["0x" + "11" * 20]}, "InputError"),
    ],
)
def test_submit_order_that_cannot_be_is_a_problem_with_a_code(served, change, code):
    refused = served.client.post("/orders", json=ORDER | change)
    assert (refused.status_code, refused.json()["code"]) == (400, code)
    assert served.client.get("/orders").json()["orders"] == []


@pytest.mark.parametrize(
    "change", [{"amount": 2}, {"amount": "-2"}, {"slices": 1.5}, {"surprise": 1}], ids=str
)
def test_submit_body_that_is_not_the_schemas_is_refused(served, change):
    assert served.client.post("/orders", json=ORDER | change).status_code == 422


CONDITION = {
    "target": "0x" + "11" * 20,
    "data": "0x70a08231" + "00" * 32,
    "comparison": "at_least",
    "bound": "7",
}


def test_submit_conditions_are_the_orders_own(tmp_path):
    contracts = {"onchain_exec": {"router": STRANGER}, "uniswap_v4": {"pool_manager": STRANGER}}
    signed = CONDITION | {"comparison": "signed_at_most", "bound": "-3", "word": 5, "label": "debt"}
    with serve_engine(tmp_path, replace(PROFILE, protocols=contracts)) as served:
        given = served.client.post("/orders", json=ORDER | {"conditions": [CONDITION, signed]})
        assert given.status_code == 201
        (view,) = served.engine.journal.read_parents()
        call = Call(STRANGER, bytes.fromhex(CONDITION["data"][2:]))
        expected = Condition.at_least(call, 7), Condition.at_most(call, -3, word=5, signed=True)
        assert view.parent.conditions == expected
        assert view.parent.conditions[1].name == "debt"
        again = served.client.post("/orders", json=ORDER | {"conditions": [CONDITION, signed]})
        assert again.status_code == 200
        other = served.client.post("/orders", json=ORDER | {"conditions": [CONDITION]})
        assert (other.status_code, other.json()["code"]) == (409, "DuplicateOrderError")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({}, 400, "UnsupportedOrderError"),  # the chain lists no Router
        ({"bound": "-1"}, 400, "InputError"),
        ({"bound": str(2**256)}, 400, "InputError"),
        ({"target": "0x" + "Ab" * 20}, 400, "AddressError"),
        ({"data": "0x70a0"}, 422, None),
        ({"data": "0x70a082310"}, 422, None),
        ({"word": -1}, 422, None),
        ({"bound": 7}, 422, None),
        ({"surprise": 1}, 422, None),
    ],
    ids=str,
)
def test_submit_conditions_that_cannot_be_are_refused(served, change, status, code):
    refused = served.client.post("/orders", json=ORDER | {"conditions": [CONDITION | change]})
    assert (refused.status_code, refused.json().get("code")) == (status, code)
    assert served.client.get("/orders").json()["orders"] == []


async def test_cancel_before_anything_is_signed_ends_at_once(served):
    served.client.post("/orders", json=ORDER | {"limit_price": "3000"})
    await served.trade()
    cancelled = served.client.delete("/orders/one")
    assert (cancelled.status_code, cancelled.json()["state"]) == (202, "CANCELLED")
    assert served.signer.signed == 0


async def test_kill_nothing_is_signed_any_more(served):
    served.client.post("/orders", json=ORDER)
    killed = served.client.put("/switches/all", json={"state": "KILLED", "reason": "drill"})
    assert killed.json()["switches"][0]["reason"] == "drill"
    await served.trade(blocks=3)
    assert served.signer.signed == 0
    served.client.put("/switches/all", json={"state": "RUNNING"})
    await served.trade()
    assert served.signer.signed == 1


def test_metrics_count_what_the_journal_holds(served):
    served.client.post("/orders", json=ORDER)
    families = {family.name: family for family in _read_metrics(served)}
    (sample,) = families["onchain_exec_parents"].samples
    assert (sample.labels, sample.value) == ({"state": "NEW"}, 1)


def test_events_are_streamed_from_the_moment_the_socket_stands(served):
    with served.client.websocket_connect("/events") as socket:
        served.client.post("/orders", json=ORDER)
        event = socket.receive_json()
    assert event["kind"] == "parent_accepted"
    assert event["payload"]["parent"]["client_order_id"] == "one"


@pytest.mark.parametrize("given", [None, "Bearer", "Bearer 0123456789abcdeF", "bearer 0123456789abcdef"])
@pytest.mark.parametrize("path", ["/orders", "/metrics", "/openapi.json", "/nowhere"])
def test_bearer_without_the_token_no_path_answers(served, given, path):
    header = {} if given is None else {"Authorization": given}
    stranger = TestClient(make_app(served.engine, "0123456789abcdef"), headers=header)
    assert stranger.get(path).status_code == 401
    assert stranger.post(path, json=ORDER).status_code == 401
    assert served.client.get("/orders").json()["orders"] == []


def test_bearer_without_the_token_no_socket_opens(served):
    stranger = TestClient(make_app(served.engine, "0123456789abcdef"))
    with pytest.raises(WebSocketDisconnect), stranger.websocket_connect("/events"):
        pass


def test_require_token_short_one_is_refused():
    with pytest.raises(ConfigError):
        require_token("hunter2")
    require_token("0123456789abcdef")


def _read_metrics(served):
    return text_string_to_metric_families(served.client.get("/metrics").text)
