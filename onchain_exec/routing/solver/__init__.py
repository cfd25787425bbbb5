"""The dual of a market, its certificates, and which of its edges are worth their gas."""
