"""A local chain with the real protocols on it: their published bytecode, deployed and seeded."""
