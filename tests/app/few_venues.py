"""A chain of which a desk knows less: it reads fewer pools and finds routes sooner, where neither is in
question."""

from __future__ import annotations

from dataclasses import replace

from onchain_exec.app.configuration.registry import ChainProfile

_KNOWN = ("uniswap_v2", "uniswap_v3", "onchain_exec")  # our Router needs v4: swaps go through Uniswap's


def with_few_venues(profile: ChainProfile) -> ChainProfile:
    """Return the profile with the pools of Uniswap v2 and v3 only, and our contracts."""
    return without(profile, *(profile.protocols.keys() - _KNOWN))


def without(profile: ChainProfile, *protocols: str) -> ChainProfile:
    """Return the profile of a chain where these protocols do not stand."""
    kept = {name: contracts for name, contracts in profile.protocols.items() if name not in protocols}
    return replace(profile, protocols=kept)
