"""From URLs to an `Rpc`: one endpoint, or a pool of them."""

from __future__ import annotations

from collections.abc import Sequence

from onchain_exec.chain.http_rpc import HttpRpc
from onchain_exec.chain.pool.endpoint import PUBLIC_ROLES, Endpoint, Role, parse_endpoints
from onchain_exec.chain.pool.member import Member
from onchain_exec.chain.pool.policy import PoolPolicy
from onchain_exec.chain.pool.pool import EndpointPool
from onchain_exec.chain.relays import PrivateEndpoint, RelayIdentity
from onchain_exec.chain.rpc import Rpc
from onchain_exec.chain.sockets import open_ipc, open_web_socket
from onchain_exec.errors import ConfigError


def open_rpc(
    endpoints: str | Sequence[Endpoint], chain_id: int | None = None, policy: PoolPolicy | None = None
) -> Rpc:
    """Return the `Rpc` of one endpoint, or the pool of several; as text see `parse_endpoints`. One that
    does everything, at any rate, and of which nothing special is wanted, needs no pool around it.
    Nothing is asked yet.

    Raises:
        ConfigError: a URL cannot be used (it is not shown), no endpoint reads, or more shall agree
            than read.
    """
    if isinstance(endpoints, str):
        endpoints = parse_endpoints(endpoints)
    if len(endpoints) == 1 and _is_plain(endpoints[0]) and policy in (None, PoolPolicy()):
        return _open_endpoint(endpoints[0])
    return open_pool(*endpoints, chain_id=chain_id, policy=policy)


def open_pool(
    *endpoints: Endpoint, chain_id: int | None = None, policy: PoolPolicy | None = None
) -> EndpointPool:
    """Return the pool of these endpoints. Nothing is asked yet.

    Raises:
        ConfigError: a URL cannot be used, no endpoint reads, or more shall agree than read; or what is sent
            privately and to everybody would go to the same URL.
    """
    private = {endpoint.url for endpoint in endpoints if Role.PRIVATE in endpoint.roles}
    if any(Role.SEND in endpoint.roles and endpoint.url in private for endpoint in endpoints):
        raise ConfigError(
            "a node URL takes private transactions, and public ones as well",
            needed="private+URL alone, or with read+URL beside it",
        )
    members = [Member(_open_endpoint(endpoint), endpoint.roles, endpoint.limits) for endpoint in endpoints]
    return EndpointPool(members, chain_id=chain_id, policy=policy)


def _is_plain(endpoint: Endpoint) -> bool:
    return endpoint.roles == PUBLIC_ROLES and endpoint.limits.requests_per_s is None


def _open_endpoint(endpoint: Endpoint) -> Rpc:
    limits = endpoint.limits
    if endpoint.relay:
        return PrivateEndpoint(endpoint.url, RelayIdentity(), timeout_s=limits.timeout_s)
    open_one = _TRANSPORTS.get(endpoint.url.partition("://")[0], HttpRpc)
    return open_one(
        endpoint.url, timeout_s=limits.timeout_s, max_batch=limits.max_batch, max_body=limits.max_body
    )


_TRANSPORTS = {"ws": open_web_socket, "wss": open_web_socket, "ipc": open_ipc}
