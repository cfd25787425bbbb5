"""Orders, nonces and fills: the journal, its state tables, and reconciliation with the chain."""
