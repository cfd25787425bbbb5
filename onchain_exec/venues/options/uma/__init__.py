"""UMA's long-short pairs (@uma/core): collateral split into two tokens that share it at expiry by a formula
of a price, which the optimistic oracle settles."""
