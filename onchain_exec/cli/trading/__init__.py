"""Commands about a trade: what it costs, what it would give, and doing it."""
