"""What a run works with: the node, the signer, the journal, the policy, and the clock."""

from __future__ import annotations

import enum
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from onchain_exec.app.configuration.registry import ChainProfile
from onchain_exec.app.intents.book import IntentBook
from onchain_exec.app.pools.balance_watch import BalanceWatch
from onchain_exec.chain import Node
from onchain_exec.errors import ConfigError
from onchain_exec.execution import Signer
from onchain_exec.execution.channels import ChannelPolicy
from onchain_exec.oms import Journal
from onchain_exec.risk import Limits
from onchain_exec.risk.limits import require_bps


class Step(enum.Enum):
    """The steps of an order's path, in their order, as an observer sees them done."""

    READ = "read"
    ROUTED = "routed"
    QUOTED = "quoted"
    CHECKED = "checked"
    ACCEPTED = "accepted"
    BUILT = "built"
    CHOSEN = "chosen"
    CHANNELLED = "channelled"
    SIMULATED = "simulated"
    LEASED = "leased"
    SIGNED = "signed"
    JOURNALLED = "journalled"
    SENT = "sent"
    INTENDED = "intended"
    SHOWN = "shown"
    CONFIRMED = "confirmed"
    RECORDED = "recorded"


Observer = Callable[[Step, Any], None]
"""Called after each step with what the step made. It watches; it decides nothing."""


_LEAST: Final = {"time_to_live_s": 0, "confirmations": 1, "confirm_timeout_s": 0, "max_fee_wei": 1}


@dataclass(frozen=True, slots=True)
class Policy:
    """How this desk trades. Times in seconds, fees in wei per gas.

    ``time_to_live_s`` is when an order's transaction reverts on chain; ``confirmations`` counts the
    including block; ``confirm_timeout_s`` ends the waiting, not the transaction. ``private_only``
    is a promise: nothing signed ever goes to a public endpoint, after a failure or a restart neither.
    (What is simulated goes to the nodes that are read from, without permits: approvals replace them.)
    ``channels`` says which ways orders may go, and when they are chosen for again.

    Raises:
        ConfigError: ``private_only``, and ``channels`` allows no private one; a time or fee below zero, no
            number, or without end; no confirmation, which would report fills before they are.
    """

    limits: Limits = field(default_factory=Limits)
    max_slippage_bps: int = 50
    time_to_live_s: int = 120
    confirmations: int = 1
    confirm_timeout_s: float = 60.0
    max_fee_wei: int | None = None
    private_only: bool = False
    channels: ChannelPolicy = field(default_factory=ChannelPolicy)

    def __post_init__(self) -> None:
        require_bps("max_slippage_bps", self.max_slippage_bps)
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if value is not None and not least <= value < math.inf:  # nan is neither
                raise ConfigError(f"{name} is {value}", needed=f"a number from {least} on")
        if self.private_only and not any(channel.is_private for channel in self.channels.allowed):
            raise ConfigError("private_only is set, and no private channel is allowed", needed="one at least")


@dataclass(frozen=True, slots=True)
class Context:
    """The desk's parts, opened and checked to be of one chain. Without an ``intent_book`` no order goes out
    as an intent."""

    node: Node
    profile: ChainProfile
    journal: Journal
    policy: Policy
    signer: Signer | None
    now: Callable[[], int]
    observe: Observer
    watch: BalanceWatch = field(default_factory=BalanceWatch)
    intent_book: IntentBook | None = None
