"""What Balancer's pools have in common: fees, scaling, the Vault's balances."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, ClassVar, Final, Self

from onchain_exec.core import Address, Exact, Log, Token, to_address
from onchain_exec.core.abi import Function
from onchain_exec.core.fixed_point import MAX_UINT256, PIPS, WAD, div_up
from onchain_exec.errors import StaleStateError
from onchain_exec.venues.balancer.events import FEE_CHANGED, SWAP, list_balance_changes, renews_terms
from onchain_exec.venues.balancer.revert import BALANCE_OVERFLOW, MUL_OVERFLOW, NO_AMOUNT, refuse
from onchain_exec.venues.depth import find_depth
from onchain_exec.venues.fill import PoolFill
from onchain_exec.venues.pool import Source, SwapResult
from onchain_exec.venues.sides import find_sides
from onchain_exec.venues.terms import SwapTerms
from onchain_exec.venues.words import unsigned_word

Quoter = Callable[[int], int]
VAULT: Final = to_address("0xBA12222222228d8Ba445958a75a0704d566BF2C8")
"""Where the Vault stands on every public chain; a state without ``vault`` means this one."""
FUNDS_TYPE: Final = "(address,bool,address,bool)"
"""``IVault.FundManagement``: who pays, who gets, and that neither uses balances inside the Vault."""
GIVEN: Final = {Exact.IN: 0, Exact.OUT: 1}
"""``IVault.SwapKind``."""
_SWAP: Final = Function(
    f"swap((bytes32,uint8,address,address,uint256,bytes),{FUNDS_TYPE},uint256,uint256)", "(uint256)"
)
_MAX_BALANCE: Final = (1 << 112) - 1


@dataclass(frozen=True, slots=True)
class BalancerPool:
    """A Balancer v2 pool at its balances in the Vault, which swaps by ``pool_id`` (32 bytes as 0x hex).

    ``tokens`` and ``balances`` are in the Vault's order, without the pool's own token.
    """

    kind: ClassVar[str]

    address: Address
    pool_id: str
    vault: Address
    tokens: tuple[Token, ...]
    balances: tuple[int, ...]
    swap_fee_wad: int

    @property
    def key(self) -> str:
        """Unique name on its chain."""
        return f"{self.kind}:{self.address}"

    def quoter(self, token_in: Token, token_out: Token, exact: Exact) -> Quoter:
        """Return the fast path of one direction, as ``Vault.queryBatchSwap`` answers it.

        Mirror of ``onSwap`` of Balancer's base pools: the fee is taken from the input before it is
        scaled (exact input) or added after (exact output), every step in the pool's favour.

        Raises (the returned function too):
            PoolRevertError: with the contracts' number, for example BAL#304.
        """
        sides = find_sides(self, token_in, token_out)
        return self._given_in(*sides) if exact is Exact.IN else self._given_out(*sides)

    def quote(self, token_in: Token, token_out: Token, amount: int, exact: Exact) -> int:
        """Return the other side of a swap of ``amount``; see `quoter`."""
        return self.quoter(token_in, token_out, exact)(amount)

    def swap(self, token_in: Token, token_out: Token, amount: int, exact: Exact) -> SwapResult:
        """Return the swap of ``amount`` with the pool after it; raises as `quoter` does.

        ``fee_amount`` is rounded up. Protocol fees are due when liquidity moves: a swap leaves them in.
        """
        other = self.quote(token_in, token_out, amount, exact)
        amount_in, amount_out = (amount, other) if exact is Exact.IN else (other, amount)
        side_in, side_out = find_sides(self, token_in, token_out)
        balances = list(self.balances)
        balances[side_in] += amount_in
        balances[side_out] -= amount_out
        fee_amount = div_up(amount_in * self.swap_fee_wad, WAD)
        return SwapResult(amount_in, amount_out, fee_amount, lambda: replace(self, balances=tuple(balances)))

    @abstractmethod
    def spot_price(self, token_in: Token, token_out: Token) -> Fraction:
        """Return base units of token_out per base unit of token_in, without fee."""

    def fee_pips(self, token_in: Token, token_out: Token) -> int:
        """Return the fee on the input, in 1e-6, rounded up."""
        return div_up(self.swap_fee_wad * PIPS, WAD)

    def depth(self, token_in: Token, token_out: Token, impact_bps: int) -> int:
        """Return the largest amount_in that moves the spot price by at most ``impact_bps``."""
        return find_depth(self, token_in, token_out, impact_bps)

    def encode_swap(
        self, token_in: Token, token_out: Token, terms: SwapTerms, payer: Address
    ) -> tuple[Address, bytes, int]:
        """Return (to, calldata, 0) of ``Vault.swap``; ``payer`` sends it and lets the Vault take token_in."""
        find_sides(self, token_in, token_out)
        given = (self.pool_id_bytes, GIVEN[terms.exact], token_in.address, token_out.address, terms.amount)
        funds = (payer, False, terms.recipient, False)
        return self.vault, _SWAP.encode((*given, b""), funds, terms.bound, terms.deadline_at), 0

    @property
    def sources(self) -> tuple[Source, ...]:
        """The Vault, of this pool's id, and the pool itself."""
        return (self.vault, self.pool_id_bytes), (self.address, b"")

    def apply(self, log: Log) -> Self:
        """Return the pool after an event of the chain; other logs leave it as it is.

        Raises:
            StaleStateError: its rates or its amplification changed, or it was paused: read it again.
        """
        if log.address == self.vault and log.topics[1:2] == (self.pool_id_bytes,):
            changes = dict(list_balance_changes(log))
            pairs = zip(self.tokens, self.balances, strict=True)
            return replace(self, balances=tuple(held + changes.get(t.address, 0) for t, held in pairs))
        if log.address == self.address and log.topics[0] == FEE_CHANGED.topic:
            return replace(self, swap_fee_wad=unsigned_word(log.data))
        if log.address == self.address and renews_terms(log):
            raise StaleStateError(f"{self.key} has new terms", todo="Read the pool again")
        return self

    def decode_fill(self, log: Log) -> PoolFill | None:
        """Return the swap of the Vault's ``Swap`` log for this pool; None for any other log.

        A swap with the pool's own token, a join or an exit, is none.
        """
        if log.address != self.vault or log.topics[:2] != (SWAP.topic, self.pool_id_bytes):
            return None
        traded = {token.address: token for token in self.tokens}
        token_in, token_out = (traded.get(to_address(topic[12:])) for topic in log.topics[2:])
        if token_in is None or token_out is None:
            return None
        return PoolFill(token_in, token_out, unsigned_word(log.data), unsigned_word(log.data, 1))

    @property
    def pool_id_bytes(self) -> bytes:
        """The pool's id as the Vault takes it."""
        return bytes.fromhex(self.pool_id[2:])

    def to_json(self) -> dict[str, Any]:
        """Return the state as JSON values, integers as strings."""
        return {
            "kind": self.kind,
            "address": self.address,
            "pool_id": self.pool_id,
            "vault": self.vault,
            "tokens": [token.address for token in self.tokens],
            "balances": [str(balance) for balance in self.balances],
            "swap_fee_wad": str(self.swap_fee_wad),
        }

    @classmethod
    @abstractmethod
    def from_json(cls, state: dict[str, Any], tokens: tuple[Token, ...]) -> Self:
        """Return the pool that `to_json` wrote; ``tokens`` are its tokens, in order.

        A state without ``pool_id`` can be quoted, but not be swapped in.
        """

    @abstractmethod
    def _scaling_factor_wad(self, side: int) -> int:
        """Return what turns base units of a token into the pool's 18 decimals."""

    @abstractmethod
    def _largest_scalable(self, side: int) -> int:
        """Return the largest amount that the contract scales without overflow."""

    @abstractmethod
    def _out_given_in(self, side_in: int, side_out: int) -> Quoter:
        """Return the pool's own curve in scaled amounts, exact input."""

    @abstractmethod
    def _in_given_out(self, side_in: int, side_out: int) -> Quoter:
        """Return the pool's own curve in scaled amounts, exact output."""

    def _given_in(self, side_in: int, side_out: int) -> Quoter:
        curve = self._out_given_in(side_in, side_out)
        fee_wad = self.swap_fee_wad
        factor_in, factor_out = self._scaling_factor_wad(side_in), self._scaling_factor_wad(side_out)
        largest = min(self._largest_scalable(side_in), MAX_UINT256 // max(fee_wad, 1))
        room = _MAX_BALANCE - self.balances[side_in]

        def quote(amount: int) -> int:
            if not 0 < amount <= largest:
                refuse(MUL_OVERFLOW if amount > 0 else NO_AMOUNT)
            amount_out = curve((amount + -amount * fee_wad // WAD) * factor_in // WAD) * WAD // factor_out
            if amount > room:
                refuse(BALANCE_OVERFLOW)
            return amount_out

        return quote

    def _given_out(self, side_in: int, side_out: int) -> Quoter:
        curve = self._in_given_out(side_in, side_out)
        keep_wad = WAD - self.swap_fee_wad
        factor_in, factor_out = self._scaling_factor_wad(side_in), self._scaling_factor_wad(side_out)
        largest = self._largest_scalable(side_out)
        room = _MAX_BALANCE - self.balances[side_in]

        def quote(amount: int) -> int:
            if not 0 < amount <= largest:
                refuse(MUL_OVERFLOW if amount > 0 else NO_AMOUNT)
            amount_in = -(-curve(amount * factor_out // WAD) * WAD // factor_in)
            amount_in = -(-amount_in * WAD // keep_wad)
            if amount_in > room:
                refuse(BALANCE_OVERFLOW)
            return amount_in

        return quote
