"""What became of trades, seen from the blocks they stand in."""
