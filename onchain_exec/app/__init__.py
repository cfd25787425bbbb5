"""The desk: configuration, clock, secrets, and the run of an order."""
