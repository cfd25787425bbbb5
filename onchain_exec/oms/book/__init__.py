"""What the journal's events mean, without I/O: state tables, orders, slots, fills, and the fold."""
