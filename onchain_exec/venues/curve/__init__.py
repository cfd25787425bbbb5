"""Curve: StableSwap and CryptoSwap pools."""

from onchain_exec.venues.curve.stable_math import StableFlavour
from onchain_exec.venues.curve.stable_pool import CurveStablePool

__all__ = ["CurveStablePool", "StableFlavour"]
