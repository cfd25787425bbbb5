"""The channels that a desk has, by its endpoints, with what the chain has shown of each."""

from __future__ import annotations

from onchain_exec.app.intents.offer import find_obstacle
from onchain_exec.app.path.context import Context
from onchain_exec.chain import EndpointPool, Node
from onchain_exec.chain.pool.endpoint import Role
from onchain_exec.chain.relays import Relay, Relays
from onchain_exec.execution.channels import Channel, Offers, TrackRecord

_BY_RELAY = (Channel.PRIVATE, Channel.BUNDLE, Channel.SHARED)


def get_relays(node: Node) -> Relays | None:
    """Return the relays among a node's private endpoints, or None."""
    return node.rpc.relays if isinstance(node.rpc, EndpointPool) else None


def list_protected(node: Node) -> tuple[str, ...]:
    """Return the private endpoints that are no relays, by name."""
    members = node.rpc.members if isinstance(node.rpc, EndpointPool) else ()
    return tuple(
        member.where
        for member in members
        if Role.PRIVATE in member.roles and not isinstance(member.rpc, Relay)
    )


def find_offers(context: Context) -> Offers:
    """Return what the choice is between, whatever the policy allows."""
    told = context.journal.read_records()
    there = set[Channel]()
    if _takes_public(context.node):
        there.add(Channel.PUBLIC)
    if list_protected(context.node):
        there.add(Channel.PROTECTED)
    if get_relays(context.node):
        there.update(_BY_RELAY)
    needs = {Channel.PUBLIC: "no public endpoint", Channel.PROTECTED: "no protected endpoint (private+URL)"}
    needs |= dict.fromkeys(_BY_RELAY, "no relay (relay+URL)")
    needs[Channel.INTENT] = find_obstacle(context) or "no public endpoint for its approval"
    if _takes_public(context.node) and not find_obstacle(context):
        there.add(Channel.INTENT)
    return Offers(
        records={channel: told.get(channel.value, TrackRecord()) for channel in needs if channel in there},
        missing={channel: why for channel, why in needs.items() if channel not in there},
        private_only=context.policy.private_only,
    )


def _takes_public(node: Node) -> bool:
    rpc = node.rpc
    return not isinstance(rpc, EndpointPool) or any(Role.SEND in member.roles for member in rpc.members)
