"""Whether what stands at an address is the shipped contract, built as it should be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from onchain_exec.app.deploy.blueprints import Blueprint
from onchain_exec.app.deploy.create2 import PROXY, PROXY_CODE
from onchain_exec.clearing.settle import Domain
from onchain_exec.core.address import address_bytes
from onchain_exec.errors import ConfigError, WrongCodeError


def is_deployed(blueprint: Blueprint, chain_id: int, code: bytes) -> bool:
    """Return whether ``code``, found at the blueprint's address, is all of the contract: its runtime
    bytecode byte by byte, and each immutable by its value. False where there is no code.

    Raises:
        WrongCodeError: it is something else.
    """
    immutables = get_immutables(blueprint, chain_id)
    if code == _fill_in(blueprint, immutables):
        return True
    if code:
        raise WrongCodeError(
            f"{_find_difference(blueprint, immutables, code)} at {blueprint.address}",
            needed=f"the runtime bytecode of {blueprint.name} of this version, {blueprint.artifact.compiler}",
            todo="Send nothing to it: find out what it is",
        )
    return False


def get_immutables(blueprint: Blueprint, chain_id: int) -> dict[str, bytes]:
    """Return what a contract's immutables hold on a chain, by name, as words of 32 bytes: they are named as
    the constructor's arguments are (``sunsetAt`` is ``SUNSET_AT``), or follow from place and chain."""
    words = {_to_constant(name): _to_word(value) for name, value in blueprint.arguments.items()}
    words |= {
        "SELF": _to_word(blueprint.address),
        "CHAIN_ID": _to_word(chain_id),
        "DOMAIN": Domain(chain_id, blueprint.address).separator,
    }
    return {name: words[name] for name in blueprint.artifact.immutables}


def _to_constant(name: str) -> str:
    return re.sub("([A-Z])", r"_\1", name.rstrip("_")).upper()


def _to_word(value: Any) -> bytes:
    return value.to_bytes(32) if isinstance(value, int) else address_bytes(value).rjust(32, b"\0")


def _fill_in(blueprint: Blueprint, immutables: Mapping[str, bytes]) -> bytes:
    code = bytearray(blueprint.artifact.runtime_bytecode)
    for name, offsets in blueprint.artifact.immutables.items():
        for offset in offsets:
            code[offset : offset + 32] = immutables[name]
    return bytes(code)


def _find_difference(blueprint: Blueprint, immutables: Mapping[str, bytes], code: bytes) -> str:
    offsets = blueprint.artifact.immutables
    expected = _fill_in(blueprint, immutables)
    if len(code) != len(expected):
        return f"{len(code)} bytes of code instead of {len(expected)}"
    found = {name: code[places[0] : places[0] + 32] for name, places in offsets.items()}
    if code != _fill_in(blueprint, found):
        return f"other code of the same {len(code)} bytes"
    name = next(name for name, word in found.items() if word != immutables[name])
    return f"{name} is 0x{found[name].hex()} instead of 0x{immutables[name].hex()}"


def has_proxy(code: bytes) -> bool:
    """Return whether ``code``, found at the proxy's address, is the proxy. False where there is no code.

    Raises:
        WrongCodeError: it is something else.
    """
    if code and code != PROXY_CODE:
        raise WrongCodeError(
            f"{len(code)} bytes of other code at {PROXY}",
            needed="the deterministic deployment proxy",
            todo="This chain cannot have our contracts at their addresses",
        )
    return bool(code)


def require_proxy(code: bytes) -> None:
    """Return if the chain has the proxy.

    Raises:
        ConfigError, WrongCodeError: it has none, or something else in its place.
    """
    if not has_proxy(code):
        raise ConfigError(
            f"no contract at {PROXY}",
            needed="the deterministic deployment proxy",
            todo="Place it with --place-proxy, which costs 0.01 of the native coin",
        )
