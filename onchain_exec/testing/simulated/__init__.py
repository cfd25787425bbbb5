"""A chain, its node and time itself in one process, all from one seed: what fails once fails again.

`run_virtually` runs a program whose sleeps take no time. `SimulatedChain` has geth's pool and builds
blocks when it is told. `SimulatedNode` is the `Rpc` of a `Node` in front of it, and `Fate` decides when
a reply is lost, a send is doubled, or the whole process dies. `MemoryJournal` keeps the lines of a
journal over such a death. `SimulatedRelay` and `SimulatedProtected` are private endpoints that keep or
break their word, and `build_block` mines what they hold.
"""

from typing import TYPE_CHECKING

from onchain_exec.lazy import load_when_asked

if TYPE_CHECKING:
    from onchain_exec.testing.simulated.chain import Execution, SimulatedChain
    from onchain_exec.testing.simulated.clock import VirtualLoop, run_virtually
    from onchain_exec.testing.simulated.fate import Fate, SimulatedCrash
    from onchain_exec.testing.simulated.journal import MemoryJournal
    from onchain_exec.testing.simulated.node import SimulatedNode
    from onchain_exec.testing.simulated.relay import SimulatedProtected, SimulatedRelay, build_block

__all__ = [
    "Execution",
    "Fate",
    "MemoryJournal",
    "SimulatedChain",
    "SimulatedCrash",
    "SimulatedNode",
    "SimulatedProtected",
    "SimulatedRelay",
    "VirtualLoop",
    "build_block",
    "run_virtually",
]

load_when_asked(__name__)
