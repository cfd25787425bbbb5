"""The v4 pool: v3's curve inside the PoolManager, with a protocol's fee per direction and hooks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final, Self

from onchain_exec.core import Exact, Log, Token, to_address
from onchain_exec.core.fixed_point import PIPS, div_up
from onchain_exec.errors import PoolRefusedError, PoolRevertError, StaleStateError
from onchain_exec.venues.concentrated import ConcentratedPool, Curve, Move, Reverts, curve_from_json
from onchain_exec.venues.concentrated.quoters import Quoter
from onchain_exec.venues.fill import PoolFill, make_pair_fill
from onchain_exec.venues.pool import Source
from onchain_exec.venues.uniswap_v4.events import MODIFY_LIQUIDITY, PROTOCOL_FEE_UPDATED, SWAP
from onchain_exec.venues.uniswap_v4.key import CHANGES_SWAPS, PoolKey
from onchain_exec.venues.words import signed_word, unsigned_word

MAX_INT128: Final = (1 << 127) - 1

_REVERTS = Reverts(
    not_initialised="PoolNotInitialized",
    no_amount="SwapAmountCannotBeZero",
    amount_too_large="SafeCastOverflow",
    limit_passed="PriceLimitAlreadyExceeded",
    limit_out_of_bounds="PriceLimitOutOfBounds",
)


@dataclass(frozen=True, slots=True)
class UniswapV4Pool(ConcentratedPool):
    """A pool inside the PoolManager at ``address``. ``curve.fee_pips`` is the liquidity providers'
    fee; ``protocol_fee`` holds the protocol's two, 12 bits each, token 0 in low and token 1 in high.

    Where the liquidity ends before the amount, the PoolManager stops short: PartialFillError.

    Raises (when made):
        PoolRefusedError: the hook may change what a swap gives, or the fee takes all of the input.
    """

    kind: ClassVar[str] = "uniswap_v4"
    reverts: ClassVar[Reverts] = _REVERTS

    pool_key: PoolKey
    protocol_fee: int = 0

    def __post_init__(self) -> None:
        if changing := self.pool_key.hook_flags & CHANGES_SWAPS:
            raise PoolRefusedError(
                f"the hook {self.pool_key.hooks} of {self.key} has {changing.name}",
                needed="a hook without a say in swaps",
                todo="Leave the pool out: what it gives is known only by simulating it",
            )
        if max(self._get_fee(True), self._get_fee(False)) >= PIPS:
            raise PoolRefusedError(f"{self.key} takes the whole input as fee", needed="a fee below 100 %")

    @property
    def key(self) -> str:
        """Unique name on its chain: the kind and the pool's id."""
        return f"{self.kind}:0x{self.pool_key.pool_id.hex()}"

    def curve_for(self, down: bool) -> Curve:
        """Return the curve with the direction's whole fee, the protocol's included."""
        return self.curve.with_fee(self._get_fee(down))

    def quoter(self, token_in: Token, token_out: Token, exact: Exact) -> Quoter:
        """Return the fast path of one direction; see `ConcentratedPool.quoter`."""
        fast = super(UniswapV4Pool, self).quoter(token_in, token_out, exact)

        def quote(amount: int) -> int:
            other = fast(amount)
            if amount > MAX_INT128 or other > MAX_INT128:
                _refuse_wide(max(amount, other))
            return other

        return quote

    @property
    def sources(self) -> tuple[Source, ...]:
        """The PoolManager, of this pool's id."""
        return ((self.address, self.pool_key.pool_id),)

    def apply(self, log: Log) -> Self:
        """Return the pool after an event of the chain; other logs leave it as it is.

        Raises:
            StaleStateError: the event does not fit this state: events were missed, the fee was
                changed by a hook (which no event tells), or the state was read without gross
                liquidity (see `Ticks.with_liquidity`). Read the pool again.
        """
        if not self._emitted(log):
            return self
        topic, data = log.topics[0], log.data
        if topic == SWAP.topic:
            self._require_fee(unsigned_word(data, 5), signed_word(data))
            price, liquidity, tick = unsigned_word(data, 2), unsigned_word(data, 3), signed_word(data, 4)
            return self.with_curve(self.curve.moved_to(price, tick, liquidity))
        if topic == MODIFY_LIQUIDITY.topic:
            ticks = signed_word(data), signed_word(data, 1)
            return self.with_curve(self.curve.with_liquidity(*ticks, signed_word(data, 2)))
        if topic == PROTOCOL_FEE_UPDATED.topic:
            return replace(self, protocol_fee=unsigned_word(data))
        return self

    def decode_fill(self, log: Log) -> PoolFill | None:
        """Return the swap of a ``Swap`` log of this pool, whose amounts are the swapper's; else None."""
        if not self._emitted(log) or log.topics[0] != SWAP.topic:
            return None
        return make_pair_fill(self.tokens, -signed_word(log.data), -signed_word(log.data, 1))

    def to_json(self) -> dict[str, Any]:
        """Return the state as JSON values, integers as strings; ``fee_pips`` is without the protocol's."""
        return super(UniswapV4Pool, self).to_json() | {
            "pool_id": f"0x{self.pool_key.pool_id.hex()}",
            "key_fee": str(self.pool_key.fee),
            "hooks": self.pool_key.hooks,
            "protocol_fee": str(self.protocol_fee),
        }

    @classmethod
    def from_json(cls, state: dict[str, Any], tokens: tuple[Token, ...]) -> Self:
        """Return the pool that `to_json` wrote; ``tokens`` are its tokens, in order."""
        token0, token1 = tokens
        curve = curve_from_json(state)
        fee = int(state.get("key_fee", curve.fee_pips))
        key = PoolKey(token0.address, token1.address, fee, curve.ticks.spacing, to_address(state["hooks"]))
        return cls(to_address(state["address"]), token0, token1, curve, key, int(state["protocol_fee"]))

    def _emitted(self, log: Log) -> bool:
        return log.address == self.address and log.topics[1:2] == (self.pool_key.pool_id,)

    def _get_fee(self, down: bool) -> int:
        """Return the whole fee of a direction. Mirror of ``ProtocolFeeLibrary.calculateSwapFee``."""
        protocol_pips = self.protocol_fee & 0xFFF if down else self.protocol_fee >> 12
        lp_pips = self.curve.fee_pips
        return protocol_pips + div_up(lp_pips * (PIPS - protocol_pips), PIPS)

    def _require_fee(self, fee_pips: int, amount0: int) -> None:
        """``amount0`` is the swapper's; where rounding left none of it, the direction is not known."""
        needed = [self._get_fee(down) for down in (True, False) if not amount0 or down == (amount0 < 0)]
        if fee_pips not in needed:
            raise StaleStateError(
                f"{self.key} swapped at a fee of {fee_pips}",
                needed=f"{needed[0]}, as read",
                todo="Its fee was changed: read the pool again",
            )

    def _move_to(self, down: bool, amount: int, exact: Exact, limit_x96: int) -> Move:
        move = super(UniswapV4Pool, self)._move_to(down, amount, exact, limit_x96)
        if max(move.amount_in, move.amount_out) > MAX_INT128:
            _refuse_wide(max(move.amount_in, move.amount_out))
        return move


def _refuse_wide(amount: int) -> None:
    raise PoolRevertError("SafeCastOverflow", found=f"{amount} base units", needed="at most 2**127-1")
