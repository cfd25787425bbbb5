"""Deployments of the real protocols, one module each, on any `Evm`.

Each returns its contracts by role, with the names that `ChainProfile.protocols` uses.
"""
