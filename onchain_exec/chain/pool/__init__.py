"""Many endpoints of one chain: which to believe, which to ask, and what to do when they fail."""

from typing import TYPE_CHECKING

from onchain_exec.lazy import load_when_asked

if TYPE_CHECKING:
    from onchain_exec.chain.pool.endpoint import Endpoint, EndpointLimits, Role, parse_endpoints
    from onchain_exec.chain.pool.health import EndpointState
    from onchain_exec.chain.pool.member import Member
    from onchain_exec.chain.pool.policy import PoolPolicy
    from onchain_exec.chain.pool.pool import EndpointPool

__all__ = [
    "Endpoint",
    "EndpointLimits",
    "EndpointPool",
    "EndpointState",
    "Member",
    "PoolPolicy",
    "Role",
    "parse_endpoints",
]

load_when_asked(__name__)
