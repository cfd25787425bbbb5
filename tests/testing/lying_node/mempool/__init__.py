"""The mempool model."""
