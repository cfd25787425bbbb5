"""Opyn's Gamma protocol: options as ERC-20 tokens of 8 decimals, written out of vaults of collateral."""
