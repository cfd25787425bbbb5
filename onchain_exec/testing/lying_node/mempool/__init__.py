"""geth's mempool in front of anvil, which has rules of its own. See `MempoolModel`."""

from onchain_exec.testing.lying_node.mempool.model import MempoolModel
from onchain_exec.testing.lying_node.mempool.rules import Limits
from onchain_exec.testing.lying_node.mempool.transaction import PoolTx, decode_transaction

__all__ = ["Limits", "MempoolModel", "PoolTx", "decode_transaction"]
