"""Relays and builders: bundles and private transactions, which no public endpoint ever sees."""

from onchain_exec.chain.relays.bundle import Bundle, PrivateTx, SendConditions, SharedBundle
from onchain_exec.chain.relays.express_lane import ANY_ORDER, ExpressLane, LaneSubmission
from onchain_exec.chain.relays.identity import RelayIdentity
from onchain_exec.chain.relays.relay import PrivateEndpoint, Relay, TriedBundle, TriedTx
from onchain_exec.chain.relays.relays import Record, Relays

__all__ = [
    "ANY_ORDER",
    "Bundle",
    "ExpressLane",
    "LaneSubmission",
    "PrivateEndpoint",
    "PrivateTx",
    "Record",
    "Relay",
    "RelayIdentity",
    "Relays",
    "SendConditions",
    "SharedBundle",
    "TriedBundle",
    "TriedTx",
]
