"""What a transaction may cost: the gas limit, the fees, the chain below, an access list."""
