"""The deterministic deployment proxy (Arachnid): whoever asks it, the same code gets the same address.

It stands on most chains, and anvil begins with it. Where it is missing, anyone can place it: its creation
is a transaction that was signed once for all chains, by an account whose key nobody has.
"""

from __future__ import annotations

from typing import Final

from onchain_exec.core import Address, to_address
from onchain_exec.core.address import address_bytes
from onchain_exec.core.hashing import keccak

PROXY: Final = Address("0x4e59b44847b379578588920cA78FbF26c0B4956C")
PROXY_CODE: Final = bytes.fromhex(
    "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe0"
    "3601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3"
)
PROXY_CREATOR: Final = Address("0x3fAB184622Dc19b6109349B94811493BF2a45362")
PROXY_PRICE_WEI: Final = 100_000 * 100 * 10**9
"""What its creation takes: the gas limit times the gas price in the signed transaction."""
PROXY_TX: Final = bytes.fromhex(
    "f8a58085174876e800830186a08080b853604580600e600039806000f350fe"
    + PROXY_CODE.hex()
    + "1ba02222222222222222222222222222222222222222222222222222222222222222"
    "a02222222222222222222222222222222222222222222222222222222222222222"
)

SALT: Final = b"onchain_exec".ljust(32, b"\0")


def get_create2_address(init_code: bytes, salt: bytes = SALT, creator: Address = PROXY) -> Address:
    """Return where ``init_code`` is created (EIP-1014)."""
    return to_address(keccak(b"\xff" + address_bytes(creator) + salt + keccak(init_code))[12:])
