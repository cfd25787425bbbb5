"""Which way orders go out, and what is looked after until they stand in a block."""
