"""From a solver's floats to flows, paths and exact integers."""
