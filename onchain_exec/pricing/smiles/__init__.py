"""Volatility over strikes and expiries: SVI slices, surfaces without arbitrage, SABR."""
