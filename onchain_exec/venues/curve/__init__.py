"""Curve: StableSwap and CryptoSwap pools."""

from onchain_exec.venues.curve.crypto.arithmetic import CryptoFlavour
from onchain_exec.venues.curve.crypto.pool import CurveCryptoPool
from onchain_exec.venues.curve.exchange import Receiver
from onchain_exec.venues.curve.pool import CurvePool
from onchain_exec.venues.curve.reads import read_curve_pool
from onchain_exec.venues.curve.stable_math import StableFlavour
from onchain_exec.venues.curve.stable_pool import CurveStablePool

__all__ = [
    "CryptoFlavour",
    "CurveCryptoPool",
    "CurvePool",
    "CurveStablePool",
    "Receiver",
    "StableFlavour",
    "read_curve_pool",
]
