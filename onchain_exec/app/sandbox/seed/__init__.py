"""The sandbox's market: pools that agree on prices up to their fees, with uneven liquidity."""
