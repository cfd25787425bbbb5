"""A relay and block builder in front of anvil, to test what a bot does with private transactions.

`LocalRelay` takes bundles and private transactions as Flashbots' relay does, checks who signs the requests,
and builds the block when it is told to. A `Whim` makes it do what real relays have done.
"""

from typing import TYPE_CHECKING

from onchain_exec.lazy import load_when_asked

if TYPE_CHECKING:
    from onchain_exec.testing.relay.orders import Asked, BundleOrder
    from onchain_exec.testing.relay.relay import LocalRelay
    from onchain_exec.testing.relay.whims import Whim

__all__ = ["Asked", "BundleOrder", "LocalRelay", "Whim"]

load_when_asked(__name__)
