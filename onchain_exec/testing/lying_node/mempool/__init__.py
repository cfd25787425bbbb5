"""geth's mempool in front of anvil, which has rules of its own. See `MempoolModel`."""

from typing import TYPE_CHECKING

from onchain_exec.lazy import load_when_asked

if TYPE_CHECKING:
    from onchain_exec.testing.lying_node.mempool.model import MempoolModel
    from onchain_exec.testing.lying_node.mempool.rules import Limits
    from onchain_exec.testing.lying_node.mempool.transaction import PoolTx, decode_transaction

__all__ = ["Limits", "MempoolModel", "PoolTx", "decode_transaction"]

load_when_asked(__name__)
