"""Reads of the whole exchange for some accounts: `State`, all at one block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from onchain_exec.core import Address, Call, Reading, Token, all_of, to_address
from onchain_exec.venues.answer import decode_answer
from onchain_exec.venues.asking import Ask, ask_each, ask_one_value_each
from onchain_exec.venues.erc20 import BALANCE_OF, read_tokens
from onchain_exec.venues.perpetuals.perp_v2 import contracts as abi
from onchain_exec.venues.perpetuals.perp_v2.account_reads import (
    find_ticks,
    read_account,
    read_collateral,
    read_holdings,
)
from onchain_exec.venues.perpetuals.perp_v2.market_reads import read_market, require_listed
from onchain_exec.venues.perpetuals.perp_v2.mirror.market import Rules
from onchain_exec.venues.perpetuals.perp_v2.mirror.state import Contracts, State, VaultRules


def read_perp_v2(
    clearing_house: Address,
    owners: Sequence[Address] = (),
    markets: Sequence[Address] = (),
    collateral: Sequence[Address] = (),
    ticks: Mapping[Address, Sequence[int]] | None = None,
) -> Reading[State]:
    """Read the exchange behind a clearing house: accounts, with all markets and tokens that they are in.

    ``markets`` and ``collateral`` are read besides; ``ticks``, by base token, are ends of ranges that
    somebody is going to provide liquidity in.

    Raises:
        InputError: another contract stands there, or an unknown market or collateral is named.
        StateError: a market's index is taken from a v3 pool.
    """
    snapshot = yield (Call(clearing_house, abi.PAUSED.encode()),)
    (paused,), now = decode_answer(abi.PAUSED, clearing_house, snapshot.answers[0]), snapshot.block.timestamp
    contracts = yield from _read_contracts(clearing_house)
    yield from require_listed(contracts, markets)
    settlement, in_vault, in_fund = yield from _read_settlement(contracts)
    everybody = dict.fromkeys((*owners, contracts.insurance_fund))
    holdings = yield from all_of([read_holdings(contracts, owner) for owner in everybody])
    base_tokens = dict.fromkeys((*markets, *(base for one in holdings for base in one.base_tokens)))
    tokens = dict.fromkeys((*collateral, *(token for one in holdings for token in one.tokens)))
    pledged = yield from all_of([read_collateral(contracts, token, now) for token in tokens])
    kinds = (settlement.address, *tokens)
    accounts = yield from all_of(
        [read_account(contracts, one, kinds, tuple(base_tokens)) for one in holdings]
    )
    extra = ticks or {}
    found = yield from all_of(
        [
            read_market(contracts, base, find_ticks(base, accounts, extra.get(base, ())), now)
            for base in base_tokens
        ]
    )
    return State(
        block=snapshot.block,
        at=now,
        contracts=contracts,
        rules=(yield from _read_rules(contracts.config)),
        vault_rules=(yield from _read_vault_rules(contracts.collateral_manager)),
        settlement=settlement,
        settlement_in_vault=in_vault,
        insurance_wallet=in_fund,
        paused=paused,
        markets={market.base_token: market for market in found},
        collateral={one.token.address: one for one in pledged},
        accounts={account.owner: account for account in accounts},
    )


def _read_contracts(clearing_house: Address) -> Reading[Contracts]:
    getters = (
        abi.GET_CONFIG, abi.GET_VAULT, abi.GET_EXCHANGE, abi.GET_ORDER_BOOK, abi.GET_ACCOUNT_BALANCE,
        abi.GET_INSURANCE_FUND,
    )  # fmt: skip
    found = yield from ask_one_value_each([Ask(clearing_house, getter) for getter in getters])
    config, vault, exchange, order_book, account_balance, fund = map(to_address, found)
    manager, registry = yield from ask_one_value_each(
        [Ask(vault, abi.GET_COLLATERAL_MANAGER), Ask(exchange, abi.GET_MARKET_REGISTRY)]
    )
    return Contracts(
        clearing_house=clearing_house,
        config=config,
        vault=vault,
        exchange=exchange,
        order_book=order_book,
        account_balance=account_balance,
        insurance_fund=fund,
        collateral_manager=to_address(manager),
        market_registry=to_address(registry),
    )


def _read_settlement(contracts: Contracts) -> Reading[tuple[Token, int, int]]:
    """Read the settlement token, and what of it is in the vault and in the insurance fund's wallet."""
    (address,) = yield from ask_one_value_each([Ask(contracts.vault, abi.GET_SETTLEMENT_TOKEN)])
    (token,) = yield from read_tokens((to_address(address),))
    in_vault, in_fund = yield from ask_one_value_each(
        [Ask(token.address, BALANCE_OF, (owner,)) for owner in (contracts.vault, contracts.insurance_fund)]
    )
    return token, in_vault, in_fund


def _read_rules(config: Address) -> Reading[Rules]:
    getters = (
        abi.GET_IM_RATIO, abi.GET_MM_RATIO, abi.GET_PENALTY_RATIO, abi.GET_MAX_FUNDING_RATE,
        abi.GET_TWAP_INTERVAL, abi.GET_MARK_PRICE_CONFIG, abi.GET_MAX_MARKETS, abi.GET_BALANCE_CAP,
    )  # fmt: skip
    answers = yield from ask_each([Ask(config, getter) for getter in getters])
    return Rules(*(value for answer in answers for value in answer))


def _read_vault_rules(manager: Address) -> Reading[VaultRules]:
    getters = (
        abi.GET_MAX_COLLATERAL_TOKENS, abi.GET_MM_RATIO_BUFFER, abi.GET_DEBT_RATIO, abi.GET_LIQUIDATION_RATIO,
        abi.GET_FUND_FEE_RATIO, abi.GET_DUST,
    )  # fmt: skip
    return VaultRules(*(yield from ask_one_value_each([Ask(manager, getter) for getter in getters])))
