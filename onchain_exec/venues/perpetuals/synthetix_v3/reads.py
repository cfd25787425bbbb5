"""Reads of the perpetuals market for some accounts: `State`, all at one block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from onchain_exec.core import ZERO_ADDRESS, Address, Call, Reading, all_of, to_address
from onchain_exec.errors import InputError
from onchain_exec.venues.answer import decode_answer
from onchain_exec.venues.asking import Ask, ask_each, ask_one_value_each
from onchain_exec.venues.perpetuals.storage import build_storage_call, decode_words
from onchain_exec.venues.perpetuals.synthetix_v3 import contracts as abi
from onchain_exec.venues.perpetuals.synthetix_v3.account_reads import Holdings, read_account, read_holdings
from onchain_exec.venues.perpetuals.synthetix_v3.actions import USD
from onchain_exec.venues.perpetuals.synthetix_v3.market_reads import read_market
from onchain_exec.venues.perpetuals.synthetix_v3.mirror.margin import get_available_margin
from onchain_exec.venues.perpetuals.synthetix_v3.mirror.state import (
    Interest,
    InterestRules,
    KeeperCosts,
    KeeperRules,
    Pool,
    State,
)

_SYSTEM: Final = b"perpsSystem".ljust(32, b"\0")
_RUNTIME_KEYS: Final = tuple(
    key.ljust(32, b"\0") for key in (b"numberOfUpdatedFeeds", b"executionKind", b"", b"")
)
_SETTLE, _FLAG, _LIQUIDATE = 0, 1, 2
_SPARE_FEEDS: Final = 2
"""How many feeds more than it has now an account may use after what it is going to do."""


def read_synthetix_v3(
    proxy: Address, accounts: Sequence[int] = (), markets: Sequence[int] = (), strategy_id: int = 0
) -> Reading[State]:
    """Read the market behind a ``PerpsMarketProxy``: accounts by their ids, with all markets they are in, and
    ``markets`` besides. Orders are settled by the strategy of this id in every market.

    Raises:
        InputError: another contract stands there, no such account, market or strategy, an oracle that has
            no price at this block, or a node that takes no state overrides.
    """
    snapshot = yield (Call(proxy, abi.GET_MARKETS.encode()),)
    (listed,) = decode_answer(abi.GET_MARKETS, proxy, snapshot.answers[0])
    if unknown := set(markets) - set(listed):
        raise InputError(f"no market {min(unknown)} at {proxy}", needed=f"one of {sorted(listed)}")
    holdings = yield from all_of([read_holdings(proxy, one) for one in dict.fromkeys(accounts)])
    wanted = dict.fromkeys((*markets, *(market for one in holdings for market in one.markets)))
    found, read, settings, factory = yield from all_of(
        [
            all_of([read_market(proxy, one, strategy_id) for one in wanted]),
            all_of([read_account(proxy, one) for one in holdings]),
            _read_settings(proxy),
            _read_factory(proxy),
        ]
    )
    (is_open,), (most, kinds), (liquidation_reward,), guards, gradients, (node,), pool_terms = settings
    feeds = _SPARE_FEEDS + max((one.others + len(one.positions) for one in read), default=0)
    (withdrawable,), costs = yield from all_of(
        [
            ask_one_value_each([Ask(factory.core, abi.GET_WITHDRAWABLE_USD, (factory.system_id,))]),
            _read_keeper_costs(factory.oracle, node, feeds),
        ]
    )
    collateral, in_usd, max_usd, locked = pool_terms
    others = locked - sum(one.rules.get_credit(one.size, one.price) for one in found)
    state = State(
        block=snapshot.block,
        at=snapshot.block.timestamp,
        proxy=proxy,
        usd=factory.usd,
        is_open=is_open,
        max_positions=most,
        max_collaterals=kinds,
        liquidation_reward=liquidation_reward,
        keeper_rules=KeeperRules(*guards),
        keeper_costs=costs,
        interest_rules=InterestRules(*gradients),
        interest=factory.interest,
        pool=Pool(withdrawable, collateral, in_usd, max_usd, others),
        markets={market.id: market for market in found},
        accounts={account.id: account for account in read},
    )
    return _with_discounts(state, holdings)


def _read_settings(proxy: Address) -> Reading[tuple[Any, ...]]:
    """Read what is the same for all markets and accounts, and what they hold together."""
    *settings, (collateral,), (in_usd,), (max_usd,), (_, _, locked) = yield from ask_each(
        [
            Ask(proxy, abi.IS_FEATURE_ALLOWED, (_SYSTEM, ZERO_ADDRESS)),
            Ask(proxy, abi.GET_PER_ACCOUNT_CAPS),
            Ask(proxy, abi.GET_LIQUIDATE_REWARD),
            Ask(proxy, abi.GET_KEEPER_REWARD_GUARDS),
            Ask(proxy, abi.GET_INTEREST_RATE_PARAMETERS),
            Ask(proxy, abi.GET_KEEPER_COST_NODE),
            Ask(proxy, abi.TOTAL_COLLATERAL),
            Ask(proxy, abi.USD_COLLATERAL, (USD,)),
            Ask(proxy, abi.GET_COLLATERAL_CONFIGURATION, (USD,)),
            Ask(proxy, abi.UTILIZATION_RATE),
        ]
    )
    return (*settings, (collateral, in_usd, max_usd, locked))


@dataclass(frozen=True, slots=True)
class _Factory:
    """What the market keeps without a getter: contracts beside it, and the interest."""

    oracle: Address
    usd: Address
    core: Address
    system_id: int
    interest: Interest


def _read_factory(proxy: Address) -> Reading[_Factory]:
    factory, interest = abi.find_slot("PerpsMarketFactory"), abi.find_slot("InterestRate")
    slots = [factory + offset for offset in range(5)] + [interest + offset for offset in range(3)]
    snapshot = yield (build_storage_call(proxy, slots),)
    oracle, usd, core, _, system_id, *owed = decode_words(snapshot.answers[0], len(slots))
    return _Factory(_to_address(oracle), _to_address(usd), _to_address(core), system_id, Interest(*owed))


def _read_keeper_costs(oracle: Address, node: bytes, feeds: int) -> Reading[KeeperCosts]:
    kinds = [(0, _SETTLE), (0, _LIQUIDATE), *((count, _FLAG) for count in range(feeds + 1))]
    costs = yield from ask_one_value_each(
        [Ask(oracle, abi.PROCESS_WITH_RUNTIME, (node, _RUNTIME_KEYS, _to_runtime(*kind))) for kind in kinds]
    )
    settle, liquidate, *flag = (cost[0] for cost in costs)
    return KeeperCosts(settle, liquidate, tuple(flag))


def _to_runtime(feeds: int, kind: int) -> tuple[bytes, ...]:
    """Mirror of ``KeeperCosts._processWithRuntime``, whose arrays are two longer than what they hold."""
    return (feeds.to_bytes(32), kind.to_bytes(32), bytes(32), bytes(32))


def _to_address(word: int) -> Address:
    return to_address((word & ((1 << 160) - 1)).to_bytes(20))


def _with_discounts(state: State, holdings: Sequence[Holdings]) -> State:
    """Find what other collaterals count for: what is missing from the margin that the contract tells."""
    for one in holdings:
        account = state.accounts[one.id]
        if account.others:
            missing = one.available_margin - get_available_margin(state, account)
            state = state.with_account(replace(account, others_discounted=missing))
    return state
