"""The chains we know: common tokens by symbol and where the protocols stand, from one data file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any, Final

from onchain_exec.core import ZERO_ADDRESS, Address, Token, to_address
from onchain_exec.errors import ConfigError, UnknownTokenError
from onchain_exec.execution import GasRules, L1Fee
from onchain_exec.venues.prices import Feed

_NATIVE: Final = (ZERO_ADDRESS, "0x" + "ee" * 20)
"""What stands for the native coin elsewhere."""


@dataclass(frozen=True)
class ChainProfile:
    """One chain: its wrapped native token, listed tokens by symbol, protocol addresses, gas rules.

    ``protocols`` maps a protocol ("uniswap_v3") to its contracts by role ("factory"). ``feeds`` are of
    listed tokens, by symbol, in dollars; ``sequencer_feed`` tells of a rollup whether it is up.
    ``public_pool`` says whether others see what was sent before it is in a block: a rollup's sequencer may
    show it to nobody.
    """

    chain_id: int
    name: str
    native_symbol: str
    wrapped_native: Token
    tokens: Mapping[str, Token]
    protocols: Mapping[str, Mapping[str, Address]]
    gas_rules: GasRules = field(default_factory=GasRules)
    feeds: Mapping[str, Feed] = field(default_factory=dict)
    sequencer_feed: Address | None = None
    public_pool: bool = True

    @classmethod
    def from_json(cls, chain_id: int, data: Mapping[str, Any]) -> ChainProfile:
        """Return the profile of one entry of ``chains.json``."""
        tokens = {
            symbol: Token(chain_id, to_address(facts["address"]), symbol, facts["decimals"])
            for symbol, facts in data["tokens"].items()
        }
        protocols = {
            name: {role: to_address(address) for role, address in contracts.items()}
            for name, contracts in data["protocols"].items()
        }
        feeds = {
            symbol: Feed(to_address(facts["address"]), facts["heartbeat_s"], facts["description"])
            for symbol, facts in data.get("feeds", {}).items()
        }
        sequencer = data.get("sequencer_feed")
        gas = dict(data.get("gas", {}))
        return cls(
            chain_id=chain_id,
            name=data["name"],
            native_symbol=data["native"],
            wrapped_native=tokens[data["wrapped_native"]],
            tokens=tokens,
            protocols=protocols,
            gas_rules=GasRules(**gas | {"l1_fee": L1Fee(gas.get("l1_fee", "none"))}),
            feeds=feeds,
            sequencer_feed=None if sequencer is None else to_address(sequencer),
            public_pool=data.get("public_pool", True),
        )

    def get_token(self, name: str) -> Token | Address:
        """Return the listed token of a symbol (in any case), or the address that ``name`` is.

        Raises:
            UnknownTokenError: not listed here and not an address, or the native coin.
        """
        if not isinstance(name, str):
            raise UnknownTokenError(
                f"the token {name!r} is of type {type(name).__name__}", needed="text: a symbol or an address"
            )
        address = to_address(name) if name.lower().startswith("0x") else None
        for symbol, token in self.tokens.items():
            if token.address == address or symbol.lower() == name.lower():
                return token
        if name.lower() in (self.native_symbol.lower(), *_NATIVE):
            raise UnknownTokenError(
                f"{name!r} is the native coin of {self.name} (chain {self.chain_id})",
                needed=f"a token, for example {self.wrapped_native.symbol}",
                todo="Wrap it first: an order moves tokens of the account",
            )
        if address is not None:
            return address
        raise UnknownTokenError(
            f"no token {name!r} is listed on {self.name} (chain {self.chain_id})",
            needed=f"one of {', '.join(sorted(self.tokens))}, or a token's address",
            todo="Symbols are not unique on a chain: name an unlisted token by its address",
        )

    def get_contract(self, protocol: str, role: str) -> Address | None:
        """Return where a protocol's contract stands, or None if the chain has none listed."""
        return self.protocols.get(protocol, {}).get(role)


@cache
def _chains() -> dict[int, ChainProfile]:
    text = resources.files("onchain_exec.app.configuration").joinpath("chains.json").read_text("utf-8")
    return {int(k): ChainProfile.from_json(int(k), v) for k, v in json.loads(text)["chains"].items()}


def find_chain_profile(chain_id: int) -> ChainProfile | None:
    """Return the profile of a chain, or None where it is not in the data file."""
    return _chains().get(chain_id)


def get_chain_profile(chain_id: int) -> ChainProfile:
    """Return the profile of a known chain.

    Raises:
        ConfigError: the chain is not in the data file.
    """
    profile = find_chain_profile(chain_id)
    if profile is None:
        known = ", ".join(f"{c.chain_id} ({c.name})" for c in _chains().values())
        raise ConfigError(
            f"chain {chain_id} is not known",
            needed=f"one of {known}",
            todo="Pass a ChainProfile of your own as profile=...",
        )
    return profile
