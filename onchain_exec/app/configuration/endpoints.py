"""From settings to the nodes that they name."""

from __future__ import annotations

from onchain_exec.app.configuration.settings import Settings
from onchain_exec.chain import Rpc, open_rpc
from onchain_exec.errors import ConfigError


def open_configured_rpc(settings: Settings) -> Rpc:
    """Return the `Rpc` of the configured nodes, under the configured policy. Nothing is asked yet.

    Raises:
        ConfigError: no node is set, or one cannot be used.
    """
    endpoints = settings.rpc_url or settings.endpoints
    if not endpoints:
        raise ConfigError(
            "no node is set",
            needed="a node's URL",
            todo="Set ONCHAIN_EXEC_RPC_URL, or pass --rpc, in code rpc_url=",
        )
    return open_rpc(endpoints, settings.chain_id, settings.pool)
