"""From an approved order to a mined transaction: build, simulate, sign, send, confirm."""
