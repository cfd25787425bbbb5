"""One of Gamma's options as every options protocol is asked, for one vault: minting writes it, and it is
bought and sold as the ERC-20 token that it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from onchain_exec.core import Call, Token
from onchain_exec.core.fixed_point import WAD
from onchain_exec.errors import PoolRevertError, UnsupportedOrderError
from onchain_exec.pricing.options import black76
from onchain_exec.pricing.options.implied_vol import get_implied_vol
from onchain_exec.venues.options.market import (
    Flow,
    OptionGreeks,
    OptionOrder,
    OptionPreview,
    Position,
    Series,
    SeriesState,
    Side,
)
from onchain_exec.venues.options.opyn.codec import (
    Account,
    Action,
    ActionType,
    encode_operate,
    move,
    open_vault,
    redeem,
    settle_vault,
)
from onchain_exec.venues.options.opyn.margin import get_excess_collateral, get_payout
from onchain_exec.venues.options.opyn.reads import GammaContracts
from onchain_exec.venues.options.opyn.vault import NakedRules, Otoken, Prices, Vault, VaultKind

_SECONDS_PER_YEAR: Final = 365 * 86_400


@dataclass(frozen=True, slots=True)
class GammaTerms:
    """What a block says of an option: the oracle's prices, the rules of naked vaults (None: there are none),
    the block's time; and ``price_wad``, in whole strike asset, of where the option trades."""

    prices: Prices
    rules: NakedRules | None
    timestamp: int
    price_wad: int


@dataclass(frozen=True, slots=True)
class GammaMarket:
    """An `OptionMarket` of one series and one vault; ``is_new`` if the vault is yet to be opened."""

    contracts: GammaContracts
    otoken: Otoken
    terms: GammaTerms
    account: Account
    vault: Vault
    is_new: bool = False

    @property
    def timestamp(self) -> int:
        """The block's time."""
        return self.terms.timestamp

    @property
    def token(self) -> Token:
        """The option as a token."""
        return Token(self.otoken.collateral.chain_id, self.otoken.address, "oToken", 8)

    @property
    def series(self) -> tuple[Series, ...]:
        """The option."""
        one = self.otoken
        number, strike_wad = int(one.address, 16), one.strike_e8 * 10**10
        assets = (one.underlying, one.strike_asset)
        return (
            Series(
                "opyn",
                self.contracts.controller,
                number,
                not one.is_put,
                *assets,
                strike_wad,
                one.expiry_at,
            ),
        )

    def get_state(self, series: Series) -> SeriesState:
        """Return open until expiry, then expired until the oracle's prices are final."""
        if self.timestamp < self.otoken.expiry_at:
            return SeriesState.OPEN
        assets = (self.otoken.underlying, self.otoken.strike_asset, self.otoken.collateral)
        final = self.terms.prices.at_expiry_e8
        is_final = all((asset.address, self.otoken.expiry_at) in final for asset in assets)
        return SeriesState.SETTLED if is_final else SeriesState.EXPIRED

    def get_forward(self, series: Series) -> float:
        """Return the oracle's live price: no rate is known."""
        prices = self.terms.prices
        return prices.get_live_e8(self.otoken.underlying) / prices.get_live_e8(self.otoken.strike_asset)

    def get_vol_wad(self, series: Series) -> int:
        """Return the volatility at which Black's formula gives the option's price.

        Raises:
            NoArbitrageError: no volatility gives it.
        """
        price, years = self.terms.price_wad / WAD, self._get_years()
        strike = series.strike_wad / WAD
        return int(
            float(get_implied_vol(series.is_call, price, self.get_forward(series), strike, years)) * WAD
        )

    def get_greeks(self, series: Series) -> OptionGreeks:
        """Return price and Greeks at that volatility."""
        terms = (series.strike_wad / WAD, self._get_years(), self.get_vol_wad(series) / WAD)
        found = black76.get_greeks(series.is_call, self.get_forward(series), *terms)
        values = (found.price, found.delta, found.gamma, found.vega, found.theta)
        return OptionGreeks(*(float(value) for value in values))

    def preview(self, order: OptionOrder) -> OptionPreview:
        """Return what minting or burning (8 decimals) moves, collateral up or down to ``collateral_to``
        included.

        Raises:
            UnsupportedOrderError: a long, which is bought like any token.
            PoolRevertError: the option has expired (C24, C26), the vault would hold too little (C14) or
                another option (V3), or less to burn; see also `get_excess_collateral`.
        """
        if order.side is Side.LONG:
            raise UnsupportedOrderError(
                "an order for the long side", needed="a short", todo="Swap for the option token in its pool"
            )
        if self.timestamp >= self.otoken.expiry_at:
            raise PoolRevertError(
                "C26" if order.is_close else "C24",
                found=f"the option expired {self.timestamp - self.otoken.expiry_at} s ago",
                needed="one that has not expired",
            )
        after = self._get_vault_after(order)
        missing = -self._get_excess(after)
        if missing > 0:
            raise PoolRevertError(
                "C14",
                found=f"collateral of {after.collateral}",
                needed=f"{after.collateral + missing}",
                todo="Post more collateral, or write less",
            )
        minted = -order.amount if order.is_close else order.amount
        flows = (
            Flow(self.otoken.collateral, after.collateral - self.vault.collateral),
            Flow(self.token, -minted),
        )
        return OptionPreview(order, 0, 0, 0, self.get_vol_wad(order.series), flows)

    def get_collateral_min(self, order: OptionOrder) -> int:
        """Return the least ``collateral_to``, a naked vault's dust included."""
        after = replace(self._get_vault_after(order), collateral=0)
        dust = self.terms.rules.dust + 1 if after.kind is VaultKind.NAKED and self.terms.rules else 0
        return max(-self._get_excess(after), dust if after.short_amount else 0)

    def encode(self, preview: OptionPreview, slippage_bps: int) -> tuple[Call, ...]:
        """Return one call that does it, or nothing if the oracle's price has moved too far. No price is paid:
        there is nothing to bound."""
        order, account = preview.order, self.account
        change = preview.flows[0].amount
        kind = ActionType.DEPOSIT_COLLATERAL if change > 0 else ActionType.WITHDRAW_COLLATERAL
        moved = move(kind, account, self.otoken.collateral.address, abs(change))
        kind = ActionType.BURN_SHORT if order.is_close else ActionType.MINT_SHORT
        written = move(kind, account, self.otoken.address, order.amount)
        steps: list[Action] = [open_vault(account, self.vault.kind)] if self.is_new else []
        parts = [written, moved] if order.is_close else [moved, written]
        steps += [part for part in parts if part.amount]
        return (encode_operate(self.contracts.controller, tuple(steps)),)

    def preview_settlement(self, position: Position) -> tuple[Flow, ...]:
        """Return the collateral that a holder redeems, or that the vault gives back.

        Raises:
            PoolRevertError: the option has not expired; or C32, a naked vault owes more than it holds.
            StaleStateError: a price at expiry is not final.
        """
        if position.side is Side.LONG:
            paid = get_payout(self.otoken, position.amount, self.terms.prices, self.timestamp)
            return (Flow(self.otoken.collateral, -paid),)
        if self.timestamp < self.otoken.expiry_at:
            raise PoolRevertError(
                "C31",
                found=f"{self.otoken.expiry_at - self.timestamp} s to expiry",
                needed="an expired option",
            )
        excess = self._get_excess(self.vault)
        if excess < 0:
            raise PoolRevertError(
                "C32", found=f"collateral of {self.vault.collateral}", needed=f"{-excess} more"
            )
        return (Flow(self.otoken.collateral, -excess),)

    def encode_settlement(self, positions: tuple[Position, ...]) -> tuple[Call, ...]:
        """Return one call that redeems what is held, and settles the vault if it is among the positions."""
        held = sum(position.amount for position in positions if position.side is Side.LONG)
        steps = [redeem(self.account.owner, self.otoken.address, held)] if held else []
        if any(position.side is Side.SHORT for position in positions):
            steps.append(settle_vault(self.account))
        return (encode_operate(self.contracts.controller, tuple(steps)),)

    def _get_vault_after(self, order: OptionOrder) -> Vault:
        if self.vault.short not in (None, self.otoken):
            raise PoolRevertError(
                "V3", found=f"the vault is short of {self.vault.short}", needed=f"{self.otoken.address}"
            )
        amount = self.vault.short_amount + (-order.amount if order.is_close else order.amount)
        if amount < 0:
            raise PoolRevertError(
                "SafeMath: subtraction overflow",
                found=f"burn {order.amount}",
                needed=f"at most the {self.vault.short_amount} written",
            )
        short = self.otoken if amount else None
        return replace(self.vault, short=short, short_amount=amount, collateral=order.collateral_to)

    def _get_excess(self, vault: Vault) -> int:
        return get_excess_collateral(vault, self.terms.prices, self.timestamp, self.terms.rules)

    def _get_years(self) -> float:
        return max(self.otoken.expiry_at - self.timestamp, 1) / _SECONDS_PER_YEAR
