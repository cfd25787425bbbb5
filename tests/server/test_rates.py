"""How much a maker may ask, and who may ask at all."""

from __future__ import annotations

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from onchain_exec.server import bearer
from onchain_exec.server.bearer import BearerGuard
from onchain_exec.server.rates import Bucket

TOKEN, ONE, OTHER = "0123456789abcdef", "fedcba9876543210", "0f1e2d3c4b5a6978"


def test_bucket_gives_its_burst_and_then_its_rate() -> None:
    clock = iter([0.0, *[0.0] * 4, 0.25, 0.5, 0.5, 1_000.0, *[1_000.0] * 3])
    bucket = Bucket(per_s=2, burst=3, clock=lambda: next(clock))
    assert [bucket.take() for _ in range(3)] == [0, 0, 0]
    assert bucket.take() == 0.5
    assert bucket.take() == 0.25
    assert (bucket.take(), bucket.take()) == (0, 0.5)
    assert [bucket.take() for _ in range(4)] == [
        0,
        0,
        0,
        0.5,
    ]  # no more than the burst, however long it waits


def test_guard_each_maker_has_a_rate_and_the_desk_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bearer, "_MAKER_PER_S", 0.001)
    monkeypatch.setattr(bearer, "_MAKER_BURST", 3)
    client = TestClient(BearerGuard(PlainTextResponse("in"), TOKEN, [ONE, OTHER]))

    def ask(token: str) -> int:
        return client.get("/book/orders", headers={"Authorization": f"Bearer {token}"}).status_code

    assert [ask(ONE) for _ in range(4)] == [200, 200, 200, 429]
    refused = client.get("/book", headers={"Authorization": f"Bearer {ONE}"})
    assert int(refused.headers["retry-after"]) > 900
    assert ask(OTHER) == 200
    assert {ask(TOKEN) for _ in range(9)} == {200}
    assert ask("none") == 401
