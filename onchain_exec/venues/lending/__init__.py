"""Lending markets: collateral and debt as the chain counts them, and what may be done with them."""
