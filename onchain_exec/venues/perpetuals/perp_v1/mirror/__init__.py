"""The contracts of Perpetual Protocol v1 in exact integers: each function names the one it follows."""
