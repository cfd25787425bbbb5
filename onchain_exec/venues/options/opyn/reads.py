"""Reads of Gamma: option tokens, vaults, and what their margin follows from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from onchain_exec.core import Address, Call, Reading, Token, to_address
from onchain_exec.core.abi import Function
from onchain_exec.errors import InputError
from onchain_exec.venues.answer import decode_answer
from onchain_exec.venues.erc20 import read_tokens
from onchain_exec.venues.options.opyn.codec import Account
from onchain_exec.venues.options.opyn.vault import NakedRules, Otoken, Prices, Vault, VaultKind

_OTOKEN: Final = Function("getOtokenDetails()", "(address,address,address,uint256,uint256,bool)")
_VAULT: Final = Function(
    "getVaultWithDetails(address,uint256)",
    "((address[],address[],address[],uint256[],uint256[],uint256[]),uint256,uint256)",
)
_PRICE: Final = Function("getPrice(address)", "(uint256)")
_EXPIRY_PRICE: Final = Function("getExpiryPrice(address,uint256)", "(uint256,bool)")
_PRODUCT: Final = "address,address,address,bool"
_TIMES: Final = Function(f"getTimesToExpiry({_PRODUCT})", "(uint256[])")
_MAX_PRICE: Final = Function(f"getMaxPrice({_PRODUCT},uint256)", "(uint256)")
_SHOCK: Final = Function(f"getSpotShock({_PRODUCT})", "(uint256)")
_DUST: Final = Function("getCollateralDust(address)", "(uint256)")


@dataclass(frozen=True, slots=True)
class GammaContracts:
    """Where a deployment's contracts stand; ``pool`` is whom to approve."""

    controller: Address
    calculator: Address
    oracle: Address
    pool: Address


def read_otoken(address: Address) -> Reading[Otoken]:
    """Read an option token's terms.

    Raises:
        InputError: no option token stands at the address.
    """
    snapshot = yield (Call(address, _OTOKEN.encode()),)
    collateral, underlying, strike_asset, strike, expiry, is_put = decode_answer(
        _OTOKEN, address, snapshot.answers[0]
    )
    underlying, strike_asset, collateral = yield from read_tokens(
        to_address(token) for token in (underlying, strike_asset, collateral)
    )
    return Otoken(address, underlying, strike_asset, collateral, strike, expiry, is_put)


def read_vault(contracts: GammaContracts, account: Account) -> Reading[Vault]:
    """Read a vault; an empty one if the owner has none of that number.

    Raises:
        InputError: it is of a kind that is not known (partially collateralised ones are not).
    """
    at = contracts.controller
    snapshot = yield (Call(at, _VAULT.encode(account.owner, account.vault_id)),)
    (shorts, longs, _, short_amounts, long_amounts, collaterals), kind, _ = decode_answer(
        _VAULT, at, snapshot.answers[0]
    )
    if kind not in tuple(VaultKind):
        raise InputError(f"vault {account.vault_id} is of kind {kind}", needed="0 (covered) or 1 (naked)")
    short = (yield from read_otoken(to_address(shorts[0]))) if any(short_amounts) else None
    long = (yield from read_otoken(to_address(longs[0]))) if any(long_amounts) else None
    return Vault(VaultKind(kind), short, sum(short_amounts), long, sum(long_amounts), sum(collaterals))


def read_prices(contracts: GammaContracts, otoken: Otoken) -> Reading[Prices]:
    """Read the live prices of an option's assets, and those at its expiry that are final."""
    assets = tuple(dict.fromkeys((otoken.underlying, otoken.strike_asset, otoken.collateral)))
    at, expiry = contracts.oracle, otoken.expiry_at
    snapshot = yield (
        *(Call(at, _PRICE.encode(asset.address)) for asset in assets),
        *(Call(at, _EXPIRY_PRICE.encode(asset.address, expiry)) for asset in assets),
    )
    live, final = snapshot.answers[: len(assets)], snapshot.answers[len(assets) :]
    at_expiry = {}
    for asset, answer in zip(assets, final, strict=True):
        price, is_final = decode_answer(_EXPIRY_PRICE, at, answer)
        if is_final:
            at_expiry[asset.address, expiry] = price
    # a live price of 0 reverts: it is none
    known = [(asset, answer) for asset, answer in zip(assets, live, strict=True) if answer.success]
    return Prices({asset.address: decode_answer(_PRICE, at, answer)[0] for asset, answer in known}, at_expiry)


def read_naked_rules(contracts: GammaContracts, otoken: Otoken) -> Reading[NakedRules | None]:
    """Read what naked shorts of an option's product are margined with; None if there may be none."""
    at, product = contracts.calculator, _get_product(otoken)
    snapshot = yield (
        Call(at, _SHOCK.encode(*product)),
        Call(at, _TIMES.encode(*product)),
        Call(at, _DUST.encode(otoken.collateral.address)),
    )
    (shock,), (times,), (dust,) = (
        decode_answer(function, at, answer)
        for function, answer in zip((_SHOCK, _TIMES, _DUST), snapshot.answers, strict=True)
    )
    if not times:
        return None
    snapshot = yield tuple(Call(at, _MAX_PRICE.encode(*product, time)) for time in times)
    prices = (decode_answer(_MAX_PRICE, at, answer)[0] for answer in snapshot.answers)
    return NakedRules(shock, tuple(zip(times, prices, strict=True)), dust)


def _get_product(otoken: Otoken) -> tuple[Address | bool, ...]:
    tokens: tuple[Token, ...] = (otoken.underlying, otoken.strike_asset, otoken.collateral)
    return (*(token.address for token in tokens), otoken.is_put)
