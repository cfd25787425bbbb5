"""Gamma's vaults and calldata, beside what its own contracts answered (tests/golden/opyn_gamma.json)."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_contract import perform_scripted

from onchain_exec.core import Token, to_address
from onchain_exec.core.fixed_point import WAD
from onchain_exec.errors import InputError, PoolRevertError, StaleStateError, UnsupportedOrderError
from onchain_exec.venues.options.market import OptionOrder, Position, SeriesState, Side
from onchain_exec.venues.options.opyn.codec import (
    Account,
    ActionType,
    encode_operate,
    move,
    open_vault,
    redeem,
    settle_vault,
)
from onchain_exec.venues.options.opyn.margin import get_excess_collateral, get_payout, get_payout_rate
from onchain_exec.venues.options.opyn.market import GammaMarket, GammaTerms
from onchain_exec.venues.options.opyn.reads import (
    GammaContracts,
    read_naked_rules,
    read_prices,
    read_vault,
)
from onchain_exec.venues.options.opyn.vault import NakedRules, Otoken, Prices, Vault, VaultKind

GOLDEN = json.loads((Path(__file__).parents[2] / "golden/opyn_gamma.json").read_text("utf-8"))
LIFE, READS, EXPIRY = GOLDEN["life"], GOLDEN["reads"], GOLDEN["expiry_at"]
WETH = Token(1337, to_address(LIFE["weth"]), "WETH9", 18)
USDC = Token(1337, to_address(LIFE["usdc"]), "USDC", 6)
TRADER = to_address(LIFE["trader"])
KINDS = {True: "put", False: "call"}
RULES = {
    is_put: NakedRules(shock, tuple(map(tuple, bounds)), dust)
    for is_put, (shock, bounds, dust) in ((is_put, GOLDEN["rules"][name]) for is_put, name in KINDS.items())
}


def make_otoken(is_put: bool, number: int) -> Otoken:
    strike = GOLDEN["strikes_e8"][KINDS[is_put]][number]
    # the first of each kind is the one that the life below is of
    named = to_address(LIFE[KINDS[is_put]]) if number == 0 else to_address(f"0x{1 + is_put}{number:039x}")
    return Otoken(named, WETH, USDC, USDC if is_put else WETH, strike, EXPIRY, is_put)


def make_prices(spot_e8: int, *, final: bool) -> Prices:
    at_expiry = {(WETH.address, EXPIRY): spot_e8, (USDC.address, EXPIRY): 10**8} if final else {}
    return Prices({WETH.address: spot_e8, USDC.address: 10**8}, at_expiry)


@pytest.mark.parametrize("row", GOLDEN["vaults"])
def test_vault_has_the_excess_and_its_short_the_payout_of_the_calculator(row: list[Any]) -> None:
    kind, is_put, short, short_amount, long, long_amount, collateral, spot, timestamp, excess, rate = row
    shorted = None if short is None else make_otoken(is_put, short)
    held = None if long is None else make_otoken(is_put, long)
    vault = Vault(VaultKind(kind), shorted, short_amount, held, long_amount, collateral)
    prices = make_prices(spot, final=timestamp >= EXPIRY)
    if isinstance(excess, str):
        with pytest.raises(PoolRevertError) as refused:
            get_excess_collateral(vault, prices, timestamp, RULES[is_put])
        assert refused.value.reason == excess
    else:
        assert get_excess_collateral(vault, prices, timestamp, RULES[is_put]) == excess
    if rate is not None and shorted is not None:
        assert get_payout_rate(shorted, prices, timestamp) == rate


def test_calldata_is_what_the_controller_ran() -> None:
    controller = to_address(LIFE["controller"])
    put, call = make_otoken(True, 0), make_otoken(False, 0)
    covered, naked = Account(TRADER, 1), Account(TRADER, 2)
    deposit, withdraw = ActionType.DEPOSIT_COLLATERAL, ActionType.WITHDRAW_COLLATERAL
    mint, burn = ActionType.MINT_SHORT, ActionType.BURN_SHORT
    ran = [
        (
            open_vault(covered, VaultKind.COVERED),
            move(deposit, covered, USDC.address, LIFE["covered_collateral"]),
            move(mint, covered, put.address, 5 * 10**8),
        ),
        (
            open_vault(naked, VaultKind.NAKED),
            move(deposit, naked, WETH.address, LIFE["naked_collateral"]),
            move(mint, naked, call.address, 3 * 10**8),
        ),
        (move(deposit, naked, WETH.address, 10**18),),
        (move(withdraw, naked, WETH.address, 10**18),),
        (move(burn, naked, call.address, 10**8),),
        (redeem(TRADER, put.address, 2 * 10**8),),
        (settle_vault(covered),),
        (settle_vault(naked),),
    ]
    assert [encode_operate(controller, actions).data.hex() for actions in ran] == LIFE["calls"]


def make_market(spot_e8: int, timestamp: int, vault: Vault, *, final: bool = False) -> GammaMarket:
    prices = make_prices(spot_e8, final=final)
    terms = GammaTerms(prices, RULES[True], timestamp, 120 * WAD)
    zero = to_address("0x" + "0" * 40)
    contracts = GammaContracts(to_address(LIFE["controller"]), zero, zero, zero)
    return GammaMarket(contracts, make_otoken(True, 0), terms, Account(TRADER, 1), vault, is_new=True)


def test_put_is_written_on_exactly_what_the_controller_demanded_and_settles() -> None:
    market = make_market(2_000 * 10**8, EXPIRY - 86_400, Vault(VaultKind.COVERED))
    (series,) = market.series
    assert market.get_state(series) is SeriesState.OPEN
    least = market.get_collateral_min(OptionOrder(series, Side.SHORT, 5 * 10**8))
    assert least == LIFE["covered_collateral"]
    order = OptionOrder(series, Side.SHORT, 5 * 10**8, collateral_token=USDC, collateral_to=least)
    written = market.preview(order)
    assert [flow.amount for flow in written.flows] == [least, -5 * 10**8]
    (call,) = market.encode(written, slippage_bps=0)
    assert call.data.hex() == LIFE["calls"][0]
    greeks = market.get_greeks(series)
    assert greeks.price == pytest.approx(120)
    with pytest.raises(PoolRevertError, match=f"collateral of {least - 1}; needed: {least}"):
        market.preview(replace(order, collateral_to=least - 1))

    vault = Vault(VaultKind.COVERED, market.otoken, 5 * 10**8, collateral=least)
    held = Position(1, TRADER, series, Side.SHORT, 5 * 10**8)
    assert make_market(1_500 * 10**8, EXPIRY, vault).get_state(series) is SeriesState.EXPIRED
    expired = make_market(1_500 * 10**8, EXPIRY + 10, vault, final=True)
    (flow,) = expired.preview_settlement(held)
    assert flow.amount == -7_500_000_000  # what settling it paid
    assert expired.encode_settlement((held,))[0].data.hex() == LIFE["calls"][6]
    bought = Position(0, TRADER, series, Side.LONG, 2 * 10**8)
    (flow,) = expired.preview_settlement(bought)
    assert flow.amount == -618_000_000  # what redeeming it paid
    assert expired.encode_settlement((bought,))[0].data.hex() == LIFE["calls"][5]


def test_market_refuses_what_the_controller_refuses() -> None:
    vault = Vault(VaultKind.COVERED, make_otoken(True, 0), 10**8, collateral=10**10)
    market = make_market(2_000 * 10**8, EXPIRY - 10, vault)
    (series,) = market.series
    with pytest.raises(UnsupportedOrderError, match="long side"):
        market.preview(OptionOrder(series, Side.LONG, 1))
    with pytest.raises(PoolRevertError, match="at most the 100000000 written"):
        market.preview(OptionOrder(series, Side.SHORT, 10**8 + 1, is_close=True))
    with pytest.raises(PoolRevertError, match="10 s to expiry"):
        market.preview_settlement(Position(1, TRADER, series, Side.SHORT, 1))
    with pytest.raises(PoolRevertError, match="10 s to expiry"):
        get_payout(market.otoken, 1, market.terms.prices, market.timestamp)
    late = make_market(2_000 * 10**8, EXPIRY + 3, vault)
    with pytest.raises(PoolRevertError, match="expired 3 s ago"):
        late.preview(OptionOrder(series, Side.SHORT, 1))
    with pytest.raises(StaleStateError, match="no final price of WETH9"):
        late.preview_settlement(Position(1, TRADER, series, Side.LONG, 1))
    other = make_market(2_000 * 10**8, EXPIRY - 10, replace(vault, short=make_otoken(True, 1)))
    with pytest.raises(PoolRevertError, match="the vault is short of"):
        other.preview(OptionOrder(series, Side.SHORT, 1))
    with pytest.raises(StaleStateError, match="price of WETH9 is 0"):
        Prices({}).get_live_e8(WETH)


def test_naked_vault_that_owes_more_than_it_holds_does_not_settle() -> None:
    vault = Vault(VaultKind.NAKED, make_otoken(True, 0), 10**8, collateral=10**7)
    market = make_market(500 * 10**8, EXPIRY, vault, final=True)
    with pytest.raises(PoolRevertError, match="collateral of 10000000") as refused:
        market.preview_settlement(Position(1, TRADER, market.series[0], Side.SHORT, 10**8))
    assert refused.value.reason == "C32"


def test_naked_margin_beyond_its_rules_is_refused() -> None:
    vault, prices = Vault(VaultKind.NAKED, make_otoken(True, 0), 10**8), make_prices(10**11, final=False)
    with pytest.raises(PoolRevertError, match=f"at most {56 * 86_400} s"):
        get_excess_collateral(vault, prices, EXPIRY - 57 * 86_400, RULES[True])
    with pytest.raises(PoolRevertError, match="a product with rules"):
        get_excess_collateral(vault, prices, EXPIRY - 1)


def test_vault_and_what_its_margin_follows_from_are_read() -> None:
    answers = {
        (to_address(to), bytes.fromhex(data)): bytes.fromhex(answer)
        for to, data, ok, answer in READS["answers"]
        if ok
    }
    contracts = GammaContracts(*(to_address(address) for address in READS["contracts"]))
    account = Account(to_address(READS["owner"]), READS["vault_id"])
    vault = perform_scripted(read_vault(contracts, account), answers, 1337)
    assert vault.short is not None
    assert (vault.short.address, vault.long.address) == (READS["otoken"], READS["long"])
    prices = perform_scripted(read_prices(contracts, vault.short), answers, 1337)
    assert get_excess_collateral(vault, prices, READS["timestamp"]) == READS["excess"]
    assert perform_scripted(read_naked_rules(contracts, vault.short), answers, 1337) == RULES[True]
    with pytest.raises(InputError):
        perform_scripted(read_vault(contracts, Account(account.owner, 99)), answers, 1337)


def test_vault_without_options_gives_all_its_collateral_back() -> None:
    assert get_excess_collateral(Vault(VaultKind.COVERED, collateral=7), Prices({}), 0) == 7


@given(spot=st.integers(1, 10**14), amount=st.integers(1, 10**14))
def test_covered_call_in_dollars_takes_what_the_underlying_is_worth(spot: int, amount: int) -> None:
    call = replace(make_otoken(False, 0), collateral=USDC)
    vault, prices = Vault(VaultKind.COVERED, call, amount), make_prices(spot, final=False)
    assert -get_excess_collateral(vault, prices, 0) == -(-amount * spot // 10**10)
