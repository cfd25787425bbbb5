"""The node that lies, and geth's mempool in front of anvil."""
