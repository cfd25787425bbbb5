"""The run of an order: what it works with and reads, the ways it can go, how it is taken up again."""
