"""The contracts of Perpetual Protocol v2 in exact integers: each function names the one it follows."""
