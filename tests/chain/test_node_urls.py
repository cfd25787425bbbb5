"""Node URLs as text: their roles, and what they may not say."""

import pytest

from onchain_exec.chain import EndpointPool, Role, open_rpc, parse_endpoints
from onchain_exec.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "roles"),
    [
        ("http://a", [{Role.READ, Role.SEND}]),
        ("http://a wss://b  ipc:///c", [{Role.READ, Role.SEND}] * 3),
        ("read+http://a send+http://b", [{Role.READ}, {Role.SEND}]),
        ("read+send+http://a private+http://b", [{Role.READ, Role.SEND}, {Role.PRIVATE}]),
        ("http://a relay+https://b", [{Role.READ, Role.SEND}, {Role.PRIVATE}]),
    ],
)
def test_parse_endpoints_reads_urls_and_roles(text: str, roles: list[set[Role]]) -> None:
    endpoints = parse_endpoints(text)
    assert [set(endpoint.roles) for endpoint in endpoints] == roles
    assert [endpoint.url for endpoint in endpoints] == [item.rpartition("+")[2] for item in text.split()]
    assert [endpoint.relay for endpoint in endpoints] == ["relay+" in item for item in text.split()]


@pytest.mark.parametrize(
    "text", ["", "SECRET", "mev+http://SECRET", "relay+ws://SECRET", "private+send+http://SECRET", "send+"]
)
def test_parse_endpoints_of_what_is_none_raises_without_showing_it(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_endpoints(text)
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize("private", ["private", "relay"])
def test_open_rpc_of_a_url_that_is_private_and_public_raises_without_showing_it(private: str) -> None:
    """What is kept from everybody else's endpoint would be handed to the same one as public."""
    with pytest.raises(ConfigError, match="public ones as well") as caught:
        open_rpc(f"http://SECRET {private}+http://SECRET")
    assert "SECRET" not in str(caught.value)
    assert isinstance(open_rpc(f"read+http://a {private}+http://a"), EndpointPool)


@pytest.mark.parametrize(
    "url",
    ["http://u:SECRET/x@h", "http://h:SECRET", "wss://h:99999/SECRET", "http://[SECRET", "http://℀SECRET"],
)
def test_open_rpc_of_a_url_with_a_bad_host_or_port_raises_without_showing_it(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        open_rpc(url)
    assert "SECRET" not in str(caught.value)
    assert caught.value.__context__ is None  # whose text could hold it
