"""GMX v2's execution of orders in exact integers, each step a new state."""
