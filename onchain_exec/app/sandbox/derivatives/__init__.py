"""Perpetual and option protocols on a chain of one's own: the published bytecode, deployed and wired."""
