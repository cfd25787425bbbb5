"""Contracts as the packages ship them: ABI, creation code, library places."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from eth_utils import keccak
from eth_utils.abi import collapse_if_tuple, get_abi_input_types

from onchain_exec.app.sandbox.packages import get_package_path
from onchain_exec.core import Address
from onchain_exec.core.encoding import encode
from onchain_exec.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Contract:
    """One compiled contract. ``bytecode`` is hex, with placeholders at ``link_offsets``: for each
    library the byte positions that its 20-byte address takes."""

    name: str
    abi: tuple[dict[str, Any], ...]
    bytecode: str
    link_offsets: Mapping[str, tuple[int, ...]]

    def creation_code(self, *arguments: Any, libraries: Mapping[str, Address] | None = None) -> bytes:
        """Return what deploys it: the linked code and the encoded constructor arguments.

        Raises:
            ConfigError: a library's address is missing.
        """
        code = self.bytecode
        for library, offsets in self.link_offsets.items():
            address = (libraries or {}).get(library)
            if address is None:
                raise ConfigError(f"{self.name} is not linked", needed=f"the address of {library}")
            for offset in offsets:
                code = code[: 2 * offset] + address[2:].lower() + code[2 * offset + 40 :]
        return bytes.fromhex(code) + encode(self._constructor_types(), arguments)

    def encode_call(self, name: str, *arguments: Any) -> bytes:
        """Return calldata of the function of that name and number of arguments; a mapping is a struct by
        the names of its fields.

        Raises:
            ConfigError: the ABI has no such function.
        """
        item = next((item for item in self.abi if _is_function(item, name, len(arguments))), None)
        if item is None:
            raise ConfigError(f"{self.name} has no {name} of {len(arguments)} arguments")
        kinds = [collapse_if_tuple(part) for part in item["inputs"]]
        values = [
            [value[part["name"]] for part in entry["components"]] if isinstance(value, Mapping) else value
            for entry, value in zip(item["inputs"], arguments, strict=True)
        ]
        return keccak(text=f"{name}({','.join(kinds)})")[:4] + encode(kinds, values)

    def _constructor_types(self) -> list[str]:
        constructor: Any = next((item for item in self.abi if item["type"] == "constructor"), None)
        return get_abi_input_types(constructor) if constructor else []


def _is_function(item: Mapping[str, Any], name: str, arguments: int) -> bool:
    return item["type"] == "function" and item["name"] == name and len(item["inputs"]) == arguments


@cache
def read_contract(package: str, path: str) -> Contract:
    """Return the contract in the artifact at ``path`` inside a pinned package.

    Reads what truffle, waffle, hardhat and foundry write.

    Raises:
        ConfigError: no such pin.
        MissingToolError: the package is not unpacked.
    """
    file = get_package_path(package) / path
    artifact = json.loads(file.read_text("utf-8"))
    bytecode = artifact["bytecode"]
    if isinstance(bytecode, dict):
        code, links = bytecode["object"], bytecode["linkReferences"]
    else:
        code, links = bytecode, artifact.get("linkReferences", {})
    offsets = {
        library: tuple(place["start"] for place in places)
        for libraries in links.values()
        for library, places in libraries.items()
    }
    return Contract(file.name.split(".")[0], tuple(artifact["abi"]), code.removeprefix("0x"), offsets)
