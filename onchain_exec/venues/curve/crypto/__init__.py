"""CryptoSwap: a curve around a price scale, and what moves that scale."""
