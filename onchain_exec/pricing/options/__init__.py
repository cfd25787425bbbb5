"""European options in closed form: Black-76, Black-Scholes, Bachelier, inverse; implied volatility."""
