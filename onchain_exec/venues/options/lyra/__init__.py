"""Lyra (Avalon, the market of @lyrafinance/protocol 0.1.3): options priced by Black-Scholes on chain, against
a pool that moves its volatility with each trade."""
