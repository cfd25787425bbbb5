"""What every operation of the server owes to any request, whatever it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from starlette.testclient import TestClient

relaxed = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.generate],
)
few = settings(relaxed, max_examples=6)
many = settings(relaxed, max_examples=500)


def list_cases(
    operations: tuple[tuple[str, str], ...], taking_input: tuple[str, ...]
) -> list[tuple[str, str, GenerationMode]]:
    """Return each operation with requests that fit it, and those that take something with others, too."""
    return [
        (path, method, mode)
        for path, method in operations
        for mode in GenerationMode
        if mode is GenerationMode.POSITIVE or "{" in path or path in taking_input
    ]


def check_operation(
    client: TestClient,
    operation: Any,
    mode: GenerationMode,
    profile: settings,
    effects: Callable[[], object],
) -> None:
    """Send what the schema describes (or its opposite), with the client's token and with none; ``effects``
    tells what the server has done so far."""
    documented = {*operation.definition.raw["responses"], "404", "405", "422"}

    @profile
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case: Any) -> None:
        response = call(client, case, {})
        assert response.status_code < 500, response.text
        assert str(response.status_code) in documented
        before = effects()
        stranger = call(client, case, {"Authorization": "Bearer none"})
        assert (stranger.status_code, effects()) == (401, before)

    check()


def call(client: TestClient, case: Any, headers: dict[str, str]) -> Any:
    """Send a case through the client, in this process; ``headers`` go before the client's and the case's."""
    sent = case.as_transport_kwargs(base_url="http://testserver")
    own = {
        name: value for name, value in (sent.get("headers") or {}).items() if name.lower() != "authorization"
    }
    return client.request(
        sent["method"],
        sent["url"],
        params=sent.get("params"),
        json=sent.get("json"),
        content=sent.get("data"),
        headers={**own, **headers},
    )
