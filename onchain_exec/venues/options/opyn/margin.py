"""What a Gamma vault must hold and what it gives back: mirror of ``MarginCalculator``, in its numbers of 27
decimals (``FixedPointInt256``), which multiply and divide towards zero.
"""

from __future__ import annotations

from typing import Final, NoReturn

from onchain_exec.core.fixed_point import RAY, div_trunc, div_up
from onchain_exec.errors import PoolRevertError
from onchain_exec.venues.options.opyn.vault import NakedRules, Otoken, Prices, Vault, VaultKind

_E8: Final = 10**19  # from 8 decimals to 27


def get_excess_collateral(
    vault: Vault, prices: Prices, timestamp: int, rules: NakedRules | None = None
) -> int:
    """Return what can be taken out, rounded down, or, negative, what is missing, rounded up, in base units
    of the collateral; mirror of ``getExcessCollateral``.

    After expiry it is what settling the vault pays. ``rules`` are those of a naked vault's product.

    Raises:
        PoolRevertError: the vault is none that the calculator accepts, or naked and too small or too far
            from expiry.
        StaleStateError: a price is missing.
    """
    option = vault.short or vault.long
    _check_vault(vault)
    if option is None:
        return vault.collateral
    scale: int = 10 ** (27 - option.collateral.decimals)
    excess = vault.collateral * scale - get_margin_required_e27(vault, option, prices, timestamp, rules)
    return excess // scale if excess >= 0 else -div_up(-excess, scale)


def get_margin_required_e27(
    vault: Vault, option: Otoken, prices: Prices, timestamp: int, rules: NakedRules | None = None
) -> int:
    """Return the collateral that a vault of ``option`` needs, 27 decimals; mirror of ``_getMarginRequired``.
    After expiry it is what its short owes less what its long is owed. Raises as `get_excess_collateral`."""
    short, long = vault.short_amount * _E8, vault.long_amount * _E8
    if timestamp >= option.expiry_at:
        owed = _mul(_get_cash_value(vault.short, prices), short) if vault.short else 0
        earned = _mul(_get_cash_value(vault.long, prices), long) if vault.long else 0
        return _convert_at_expiry(owed - earned, option, prices)
    short_strike = vault.short.strike_e8 * _E8 if vault.short else 0
    long_strike = vault.long.strike_e8 * _E8 if vault.long else 0
    if vault.kind is VaultKind.NAKED:
        return _get_naked_margin(vault, option, prices, option.expiry_at - timestamp, rules)
    if option.is_put:
        needed = max(_mul(short, short_strike) - _mul(long_strike, min(short, long)), 0)
        source = option.strike_asset
    else:
        needed = max(short - long, 0)
        if long_strike:
            needed = max(_div(_mul(long_strike - short_strike, short), long_strike), needed)
        source = option.underlying
    if source == option.collateral:
        return needed
    live = (prices.get_live_e8(source) * _E8, prices.get_live_e8(option.collateral) * _E8)
    return _div(_mul(needed, live[0]), live[1])


def get_payout_rate(otoken: Otoken, prices: Prices, timestamp: int) -> int:
    """Return the collateral, in base units, that 1e8 of an expired token redeem; mirror of
    ``getExpiredPayoutRate``, rounded down.

    Raises:
        PoolRevertError: it has not expired.
        StaleStateError: a price at expiry is missing.
    """
    if timestamp < otoken.expiry_at:
        raise PoolRevertError(
            "MarginCalculator: Otoken not expired yet",
            found=f"{otoken.expiry_at - timestamp} s to expiry",
            needed="an expired option",
        )
    scale: int = 10 ** (27 - otoken.collateral.decimals)
    return _convert_at_expiry(_get_cash_value(otoken, prices), otoken, prices) // scale


def get_payout(otoken: Otoken, amount: int, prices: Prices, timestamp: int) -> int:
    """Return the collateral that ``amount`` of an expired token redeems; mirror of ``Controller.getPayout``.
    Raises as `get_payout_rate`."""
    return get_payout_rate(otoken, prices, timestamp) * amount // 10**8


def _get_naked_margin(
    vault: Vault, option: Otoken, prices: Prices, seconds: int, rules: NakedRules | None
) -> int:
    """Mirror of ``_getNakedMarginRequired`` and of what it is asked under."""
    if rules is None or not rules.max_prices_e27:
        _refuse("product have no expiry values", f"a naked vault of {option.address}", "a product with rules")
    if 0 < vault.collateral <= rules.dust:
        _refuse(
            "naked margin vault should have collateral amount greater than dust amount",
            f"collateral of {vault.collateral}",
            f"more than {rules.dust}",
        )
    bound = next((price for time, price in rules.max_prices_e27 if time >= seconds), None)
    if bound is None:
        longest = rules.max_prices_e27[-1][0]
        _refuse("product have no upper bound value", f"{seconds} s to expiry", f"at most {longest} s")
    spot, strike = prices.get_live_e8(option.underlying) * _E8, option.strike_e8 * _E8
    if option.is_put:
        shocked = _mul(rules.spot_shock_e27, spot)
        least, beyond = min(strike, shocked), max(strike - shocked, 0)
    else:
        ratio = _div(_mul(strike, rules.spot_shock_e27), spot)
        least, beyond = min(RAY, ratio), max(RAY - ratio, 0)
    return _mul(_mul(bound, least) + beyond, vault.short_amount * _E8)


def _get_cash_value(otoken: Otoken, prices: Prices) -> int:
    """Return what one expired option is worth in its strike asset; mirror of ``_getExpiredCashValue``."""
    price = RAY
    if otoken.underlying != otoken.strike_asset:
        spot = prices.get_at_expiry_e8(otoken.underlying, otoken.expiry_at) * _E8
        price = _div(spot, prices.get_at_expiry_e8(otoken.strike_asset, otoken.expiry_at) * _E8)
    beyond = price - otoken.strike_e8 * _E8
    return max(-beyond if otoken.is_put else beyond, 0)


def _convert_at_expiry(amount: int, otoken: Otoken, prices: Prices) -> int:
    """Turn an amount of the strike asset into collateral; mirror of ``_convertAmountOnExpiryPrice``."""
    if otoken.strike_asset == otoken.collateral:
        return amount
    strike_price = prices.get_at_expiry_e8(otoken.strike_asset, otoken.expiry_at) * _E8
    return _div(
        _mul(amount, strike_price), prices.get_at_expiry_e8(otoken.collateral, otoken.expiry_at) * _E8
    )


def _check_vault(vault: Vault) -> None:
    short, long = vault.short, vault.long
    if long is None:
        return
    if vault.kind is VaultKind.NAKED:
        _refuse("naked margin vault cannot have long otoken", f"long {long.address}", "none")
    if short is not None and (short.address == long.address or _get_product(short) != _get_product(long)):
        _refuse(
            "long asset not marginable for short asset",
            f"long {long.address} for short {short.address}",
            "another strike of the same product and expiry",
        )


def _get_product(otoken: Otoken) -> tuple[object, ...]:
    return otoken.underlying, otoken.strike_asset, otoken.collateral, otoken.expiry_at, otoken.is_put


def _refuse(reason: str, found: str, needed: str) -> NoReturn:
    raise PoolRevertError(f"MarginCalculator: {reason}", found=found, needed=needed)


def _mul(x: int, y: int) -> int:
    return div_trunc(x * y, RAY)


def _div(x: int, y: int) -> int:
    return div_trunc(x * RAY, y)
