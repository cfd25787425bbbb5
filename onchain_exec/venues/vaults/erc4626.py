"""ERC-4626 vaults as pools of two tokens: the asset and the share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, ClassVar, Final, NoReturn, Self

from onchain_exec.core import Address, Exact, Log, Token
from onchain_exec.core.abi import Event, Function
from onchain_exec.core.fixed_point import MAX_UINT256
from onchain_exec.errors import PoolRevertError
from onchain_exec.venues.fill import PoolFill
from onchain_exec.venues.pool import SwapResult, sells_token0
from onchain_exec.venues.terms import SwapTerms
from onchain_exec.venues.words import unsigned_word

_MOVES: Final = {
    (True, Exact.IN): Function("deposit(uint256,address)", "(uint256)"),
    (True, Exact.OUT): Function("mint(uint256,address)", "(uint256)"),
    (False, Exact.IN): Function("redeem(uint256,address,address)", "(uint256)"),
    (False, Exact.OUT): Function("withdraw(uint256,address,address)", "(uint256)"),
}
"""By whether assets go in, and which side is fixed."""
DEPOSIT: Final = Event(
    "Deposit(address,address,uint256,uint256)", ("address", "address"), ("uint256", "uint256")
)
WITHDRAW: Final = Event(
    "Withdraw(address,address,address,uint256,uint256)",
    ("address", "address", "address"),
    ("uint256", "uint256"),
)


@dataclass(frozen=True, slots=True)
class Erc4626Pool:
    """A vault without fees whose shares are a plain ratio: supply over assets, both with a virtual part.

    OpenZeppelin since 4.9 has ``virtual_assets`` 1 and ``virtual_shares`` 10**offset; solmate and older
    ones 0 and 0, where the first deposit is one to one. The asset is token 0, the share, which is the
    vault itself, token 1.
    """

    kind: ClassVar[str] = "erc4626"

    asset: Token
    share: Token
    total_assets: int
    total_supply: int
    virtual_assets: int = 1
    virtual_shares: int = 1

    @property
    def address(self) -> Address:
        """The vault."""
        return self.share.address

    @property
    def key(self) -> str:
        """Unique name on its chain."""
        return f"{self.kind}:{self.address}"

    @property
    def tokens(self) -> tuple[Token, ...]:
        """The asset and the share."""
        return self.asset, self.share

    def quoter(self, token_in: Token, token_out: Token, exact: Exact) -> Callable[[int], int]:
        """Return the fast path of one direction.

        ``previewDeposit`` and ``previewRedeem`` round down, ``previewMint`` and ``previewWithdraw`` up:
        all in the vault's favour.

        Raises (the returned function):
            PoolRevertError: more shares than there are, or beyond uint256.
        """
        deposits = sells_token0(self, token_in, token_out)
        shares, assets = self.ratio
        per_in, per_out = (assets, shares) if deposits else (shares, assets)
        largest_in = MAX_UINT256 if deposits else self.total_supply

        def quote_in(amount: int) -> int:
            if not 0 <= amount <= largest_in:
                _refuse(amount)
            amount_out = amount * per_out // per_in
            if amount_out > MAX_UINT256:
                _refuse(amount)
            return amount_out

        def quote_out(amount: int) -> int:
            amount_in = -(-amount * per_in // per_out)
            if not 0 <= amount <= MAX_UINT256 or amount_in > largest_in:
                _refuse(amount)
            return amount_in

        return quote_in if exact is Exact.IN else quote_out

    def quote(self, token_in: Token, token_out: Token, amount: int, exact: Exact) -> int:
        """Return the other side of a deposit or redemption of ``amount``; see `quoter`."""
        return self.quoter(token_in, token_out, exact)(amount)

    def swap(self, token_in: Token, token_out: Token, amount: int, exact: Exact) -> SwapResult:
        """Return the deposit or redemption of ``amount`` with the vault after it; there is no fee."""
        other = self.quote(token_in, token_out, amount, exact)
        amount_in, amount_out = (amount, other) if exact is Exact.IN else (other, amount)
        if sells_token0(self, token_in, token_out):
            assets, shares = amount_in, amount_out
        else:
            assets, shares = -amount_out, -amount_in
        after = replace(
            self, total_assets=self.total_assets + assets, total_supply=self.total_supply + shares
        )
        return SwapResult(amount_in, amount_out, 0, lambda: after)

    def spot_price(self, token_in: Token, token_out: Token) -> Fraction:
        """Return base units of token_out per base unit of token_in, the same at any size."""
        price = Fraction(*self.ratio)
        return price if sells_token0(self, token_in, token_out) else 1 / price

    def fee_pips(self, token_in: Token, token_out: Token) -> int:
        """Return 0: such a vault takes no fee."""
        return 0

    def depth(self, token_in: Token, token_out: Token, impact_bps: int) -> int:
        """Return all that the vault can take: its price does not move."""
        if not sells_token0(self, token_in, token_out):
            return self.total_supply
        shares, assets = self.ratio
        return min(MAX_UINT256 - self.total_assets, (MAX_UINT256 - self.total_supply) * assets // shares)

    def encode_swap(
        self, token_in: Token, token_out: Token, terms: SwapTerms, payer: Address
    ) -> tuple[Address, bytes, int]:
        """Return (to, calldata, 0) of the deposit or redemption that ``payer`` sends.

        To deposit, it lets the vault take the asset. ERC-4626 knows neither bound nor deadline: what
        ``terms`` say of these only our Router keeps.
        """
        deposits = sells_token0(self, token_in, token_out)
        owner = () if deposits else (payer,)
        data = _MOVES[deposits, terms.exact].encode(terms.amount, terms.recipient, *owner)
        return self.address, data, 0

    def decode_fill(self, log: Log) -> PoolFill | None:
        """Return what a ``Deposit`` or ``Withdraw`` log of the vault tells; None for any other log."""
        if log.address != self.address or log.topics[0] not in (DEPOSIT.topic, WITHDRAW.topic):
            return None
        assets, shares = unsigned_word(log.data), unsigned_word(log.data, 1)
        if log.topics[0] == DEPOSIT.topic:
            return PoolFill(self.asset, self.share, assets, shares)
        return PoolFill(self.share, self.asset, shares, assets)

    def to_json(self) -> dict[str, Any]:
        """Return the state as JSON values, integers as strings."""
        return {
            "kind": self.kind,
            "address": self.address,
            "tokens": [self.asset.address, self.share.address],
            "total_assets": str(self.total_assets),
            "total_supply": str(self.total_supply),
            "virtual_assets": str(self.virtual_assets),
            "virtual_shares": str(self.virtual_shares),
        }

    @classmethod
    def from_json(cls, state: dict[str, Any], tokens: tuple[Token, ...]) -> Self:
        """Return the pool that `to_json` wrote; ``tokens`` are its tokens, in order."""
        asset, share = tokens
        names = ("total_assets", "total_supply", "virtual_assets", "virtual_shares")
        return cls(asset, share, *(int(state[name]) for name in names))

    @property
    def ratio(self) -> tuple[int, int]:
        """Shares per assets, as numerator and denominator.

        Raises:
            PoolRevertError: there are shares, but no assets behind them.
        """
        shares, assets = self.total_supply + self.virtual_shares, self.total_assets + self.virtual_assets
        if not shares:
            return 1, 1
        if not assets:
            raise PoolRevertError("", found=f"{self.key} has shares and no assets")
        return shares, assets


def _refuse(amount: int) -> NoReturn:
    raise PoolRevertError(
        "ERC20: burn amount exceeds balance", found=f"{amount} is more than the vault has or can count"
    )
