"""An account of Perp v2 as collateral: what is foreseen, and its guard, against the real bytecode."""

from __future__ import annotations

from random import Random

from curie import TRADER, Curie, start_curie
from evm_reading import perform

from onchain_exec.core import Address
from onchain_exec.core.fixed_point import WAD
from onchain_exec.venues.perpetuals.actions import Close, Deposit, PerpetualAction, Trade, Withdraw
from onchain_exec.venues.perpetuals.perp_v2.account import PerpV2Account, read_perp_v2_account

USDC = 10**6


def read(curie: Curie, market: Address) -> PerpV2Account:
    house = curie.at.contracts["ClearingHouse"]
    return perform(curie.evm, read_perp_v2_account(house, TRADER, [market]))


def do(curie: Curie, account: PerpV2Account, action: PerpetualAction) -> None:
    call = account.at_time(curie.evm.timestamp + 60).encode(action)
    curie.evm.call(TRADER, call.to, call.data)


def test_account_after_each_action_is_what_the_chain_shows() -> None:
    curie = start_curie()
    market, usdc = curie.base("vETH"), curie.at.settlement
    account = read(curie, market)
    assert account.health.owes_nothing
    for action in (
        Deposit(usdc, 10_000 * USDC),
        Trade(market, 10 * WAD, 10**6 * WAD),
        Withdraw(usdc, 1_000 * USDC),
        Trade(market, -4 * WAD, 0),
        Close(market, 0),
    ):
        do(curie, account, action)
        foreseen, account = account.after(action), read(curie, market)
        assert account.health == foreseen.health, str(action)
    assert account.health.owes_nothing
    assert account.encode(Deposit(usdc, 5)).spends[0].spender == curie.at.contracts["Vault"]


def test_require_health_holds_only_where_the_health_factor_does(rng: Random) -> None:
    curie = start_curie()
    market, usdc = curie.base("vETH"), curie.at.settlement
    empty = read(curie, market)
    do(curie, empty, Deposit(usdc, 10_000 * USDC))
    start, held = curie.evm.timestamp, 0
    for _ in range(6):
        mark = curie.evm.snapshot()
        size = rng.choice((-1, 1)) * rng.randrange(1, 30) * WAD
        bound = 10**9 * WAD if size > 0 else 0
        do(curie, read(curie, market), Trade(market, size, bound))
        for _ in range(3):
            curie.wait(600)
            curie.set_index("vETH", round(3_000 * rng.uniform(0.9, 1.1)) * WAD)
        account = read(curie, market)
        for factor in (0.5, 0.9, 0.999, 1.0, 1.001):
            wanted = int(account.health.health_factor_wad * factor)
            guard = account.require_health(wanted)
            answer = int.from_bytes(curie.evm.static_call(guard.target, guard.data), signed=True)
            if answer >= guard.bound:
                held += 1
                assert account.health.health_factor_wad >= wanted
        curie.evm.revert(mark)
        curie.evm.timestamp = start
    assert held > 5
