"""What a pool believes, and how long it waits for it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from onchain_exec.errors import ConfigError


@dataclass(frozen=True, slots=True)
class PoolPolicy:
    """When a view of the chain counts, and when a second endpoint is asked.

    ``witnesses``: how many endpoints must have a block before it is told as the newest. None asks
    for a majority of three or more, and for one of fewer: two endpoints survive a failure, three
    also tell which of them is wrong.
    ``max_lag_blocks``: the block told may be this far below the newest that any endpoint claims.
    ``max_head_age_s``: it may be this old by the wall clock; None for chains that idle.
    ``view_ttl_s``: reads at a tag (``latest``, ``pending``) trust a look at all heads this long.
    ``agreeing``: how many endpoints must give the same nonce, balance, receipt or logs; 1 asks one.
    ``hedge_at``: a read is given to a second endpoint once it took longer than this share of the
    first endpoint's answers. ``max_tail``: and sooner while that endpoint stalls now and then, so that
    99 in 100 reads end within so many times the usual; it costs up to as many reads again. None
    leaves that out.
    """

    witnesses: int | None = None
    max_lag_blocks: int = 2
    max_head_age_s: float | None = None
    view_ttl_s: float = 1.0
    agreeing: int = 1
    hedge_at: float = 0.9
    max_tail: float | None = 2.0

    def __post_init__(self) -> None:
        bounds = {
            "witnesses": (1, math.inf),
            "max_lag_blocks": (0, math.inf),
            "max_head_age_s": (0, math.inf),
            "view_ttl_s": (0, math.inf),
            "agreeing": (1, math.inf),
            "hedge_at": (0, 1),
            "max_tail": (1, math.inf),
        }
        for name, (least, most) in bounds.items():
            value = getattr(self, name)
            if value is not None and not least <= value <= most:
                raise ConfigError(f"the pool's {name} is {value}", needed=f"{least} to {most}")

    def get_witnesses(self, endpoints: int) -> int:
        """Return how many of so many endpoints must have a block.

        Raises:
            ConfigError: more are asked for than there are.
        """
        chosen = self.witnesses or (endpoints // 2 + 1 if endpoints > 2 else 1)
        if max(chosen, self.agreeing) > endpoints:
            raise ConfigError(
                f"{max(chosen, self.agreeing)} endpoints shall agree, {endpoints} can be read",
                needed="at least as many endpoints with the read role",
            )
        return chosen
