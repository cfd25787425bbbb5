"""One long-short pair as of a block: mirror of ``LongShortPair``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from onchain_exec.core import Address, Token
from onchain_exec.core.fixed_point import MAX_UINT128, WAD, div_up
from onchain_exec.errors import AmountError, PoolRevertError
from onchain_exec.venues.options.uma.payout import Payout


class RequestState(IntEnum):
    """``OptimisticOracleV2Interface.State`` of the pair's price request at expiry."""

    INVALID = 0
    REQUESTED = 1
    PROPOSED = 2
    EXPIRED = 3
    DISPUTED = 4
    RESOLVED = 5
    SETTLED = 6


@dataclass(frozen=True, slots=True)
class PriceRequest:
    """What the optimistic oracle holds of the request: the price proposed, and settled if it is (18
    decimals), until when it can be disputed, and what a proposer posts and earns (base units of the
    collateral). ``ancillary_data`` names the request."""

    oracle: Address
    identifier: bytes
    ancillary_data: bytes
    state: RequestState
    proposed_wad: int
    resolved_wad: int
    disputable_until: int
    bond: int
    final_fee: int
    reward: int

    @property
    def price_wad(self) -> int | None:
        """The price that settling the pair takes; None as long as there is none, or only the DVM knows."""
        if self.state is RequestState.EXPIRED:
            return self.proposed_wad
        return self.resolved_wad if self.state is RequestState.SETTLED else None


@dataclass(frozen=True, slots=True)
class LongShortPair:
    """A pair. ``collateral_per_pair_wad`` base units of collateral make 1e18 units of both tokens, which have
    the collateral's decimals. ``long_share_wad`` is what was settled; None before."""

    address: Address
    collateral: Token
    long_token: Token
    short_token: Token
    collateral_per_pair_wad: int
    expiry_at: int
    payout: Payout
    request: PriceRequest
    long_share_wad: int | None
    timestamp: int

    def create(self, tokens: int) -> int:
        """Return the collateral that mints ``tokens`` of both, rounded up; ``create``.

        Raises:
            AmountError: not within 1 to 2**128-1.
            PoolRevertError: the pair has expired.
        """
        _require_amount(tokens)
        if self.timestamp >= self.expiry_at:
            raise PoolRevertError(
                "Only callable pre-expiry",
                found=f"the pair expired {self.timestamp - self.expiry_at} s ago",
                needed="a time before its expiry",
            )
        return div_up(tokens * self.collateral_per_pair_wad, WAD)

    def redeem(self, tokens: int) -> int:
        """Return the collateral that ``tokens`` of both give back, rounded down; ``redeem``, at any time."""
        _require_amount(tokens)
        return tokens * self.collateral_per_pair_wad // WAD

    def settle(self, long_tokens: int, short_tokens: int) -> int:
        """Return the collateral that tokens give at the settled price, each side rounded down; ``settle``.

        Raises:
            PoolRevertError: the pair has not expired, or the oracle has no price that cannot be disputed any
                more.
        """
        if self.timestamp < self.expiry_at:
            raise PoolRevertError(
                "Cannot settle",
                found=f"the pair expires in {self.expiry_at - self.timestamp} s",
                needed="a time after its expiry",
                todo="Redeem both tokens together, or sell one",
            )
        share = self.get_long_share_wad()
        long_value = long_tokens * self.collateral_per_pair_wad // WAD * share // WAD
        return long_value + short_tokens * self.collateral_per_pair_wad // WAD * (WAD - share) // WAD

    def get_long_share_wad(self) -> int:
        """Return the long token's part at the oracle's price; ``getExpirationPrice``.

        Raises:
            PoolRevertError: there is no such price.
        """
        if self.long_share_wad is not None:
            return self.long_share_wad
        price_wad = self.request.price_wad
        if price_wad is None:
            raise PoolRevertError(
                "_settle: not settleable",
                found=f"the price request is {self.request.state.name.lower()}",
                needed="one whose proposal can no longer be disputed",
                todo=self._get_next_step(),
            )
        return min(self.payout.get_long_share_wad(price_wad), WAD)

    def _get_next_step(self) -> str:
        match self.request.state:
            case RequestState.INVALID:
                return "Expire the pair"
            case RequestState.REQUESTED:
                return f"Propose a price with a bond of {self.request.bond + self.request.final_fee}"
            case RequestState.PROPOSED:
                return f"Wait until {self.request.disputable_until}"
            case _:
                return "Wait for UMA's vote"


def _require_amount(tokens: int) -> None:
    if not 0 < tokens <= MAX_UINT128:
        raise AmountError(f"{tokens} tokens", needed="1 to 2**128-1 base units")
