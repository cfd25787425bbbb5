"""Execute trades on-chain: quotes, routes, checks, transactions, and a journal that survives."""
