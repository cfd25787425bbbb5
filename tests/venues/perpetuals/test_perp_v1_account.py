"""An account of Perp v1 as collateral: what is foreseen, and its guard, against the real bytecode."""

from __future__ import annotations

import pytest
from evm_reading import perform
from vamm import DEALER, Vamm, start_vamm

from onchain_exec.core.fixed_point import WAD
from onchain_exec.errors import InputError
from onchain_exec.venues.erc20 import BALANCE_OF
from onchain_exec.venues.perpetuals.actions import Close, Deposit, PerpetualAction, Trade, Withdraw
from onchain_exec.venues.perpetuals.perp_v1.account import PerpV1Account, read_perp_v1_account

USDC = 10**6


def read(vamm: Vamm) -> PerpV1Account:
    reading = read_perp_v1_account(vamm.at.clearing_house, DEALER, [vamm.market("ETH")])
    return perform(vamm.evm, reading).with_leverage(5 * WAD)


def do(vamm: Vamm, action: PerpetualAction) -> PerpV1Account:
    """Send it in a block of its own; return the account as the mirror foresaw it then."""
    account = read(vamm)
    vamm.wait(12)
    call = account.encode(action)
    vamm.evm.call(DEALER, call.to, call.data)
    return account.at_time(vamm.evm.timestamp).after(action)


def test_account_after_each_action_is_what_the_chain_shows_and_its_guard_says() -> None:
    vamm = start_vamm()
    market, usdc = vamm.market("ETH"), vamm.at.quote
    for action in (
        Trade(market, 10 * WAD, 0),
        Deposit(usdc, 1_000 * USDC, market),
        Withdraw(usdc, 500 * USDC, market),
        Trade(market, -4 * WAD, 0),
    ):
        foreseen, account = do(vamm, action), read(vamm)
        assert account.health == foreseen.health, str(action)
        for factor_wad in (account.health.health_factor_wad, account.health.health_factor_wad + 20):
            guard = account.require_health(factor_wad)
            answer = int.from_bytes(vamm.evm.static_call(guard.target, guard.data), signed=True)
            assert (answer >= guard.bound) == (factor_wad == account.health.health_factor_wad)
    do(vamm, Close(market, 0))
    assert read(vamm).health.owes_nothing


def test_encode_trade_spends_its_margin_and_fees_at_most() -> None:
    vamm = start_vamm()
    market, usdc = vamm.market("ETH"), vamm.at.quote
    (spend,) = read(vamm).encode(Trade(market, 10 * WAD, 0)).spends
    before = int.from_bytes(vamm.evm.static_call(usdc.address, BALANCE_OF.encode(DEALER)))
    do(vamm, Trade(market, 10 * WAD, 0))
    after = int.from_bytes(vamm.evm.static_call(usdc.address, BALANCE_OF.encode(DEALER)))
    assert (spend.token, spend.spender) == (usdc.address, vamm.at.clearing_house)
    assert 0 <= spend.amount - (before - after) <= 5


def test_require_health_without_a_market_raises_input_error() -> None:
    vamm = start_vamm()
    account = perform(vamm.evm, read_perp_v1_account(vamm.at.clearing_house, DEALER))
    with pytest.raises(InputError, match="isolated"):
        account.require_health(WAD)
