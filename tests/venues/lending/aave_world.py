"""Aave v3's real bytecode in this process: a market with every kind of reserve, and people in it."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from evm_reading import perform

from onchain_exec.app.sandbox.deploy.tokens import deploy_token, deploy_tokens
from onchain_exec.app.sandbox.derivatives.aave_v3 import (
    BASE_UNIT,
    PRICES,
    AaveMarket,
    ReserveTerms,
    deploy_aave_v3,
)
from onchain_exec.app.sandbox.erc20 import approve, fund
from onchain_exec.core import Address, Token
from onchain_exec.errors import RevertError
from onchain_exec.testing.evm import LocalEvm
from onchain_exec.venues.lending.aave_v3 import AaveAccount, read_aave_account

TRADER, LENDER, KEEPER, STABLE, SILOED_ONE = (Address("0x" + digit * 40) for digit in "abcde")
BORROWERS = (
    (LENDER, "WETH", 2),
    (LENDER, "WBTC", 2),
    (LENDER, "DAI", 2),
    (STABLE, "USDC", 1),
    (SILOED_ONE, "SILO", 2),
)
"""Who borrows what at which rate: stable (1) or variable (2)."""
_WEALTH = 10**9
"""Whole tokens of each kind that everyone holds outside the pool, of dollars' worth."""

ISOLATED = ReserveTerms(7_000, 7_500, 11_000, debt_ceiling=2_000_000)
SILOED = ReserveTerms(0, 0, 0, siloed=True, borrow_cap=500_000, supply_cap=2_000_000)
WORTHLESS = ReserveTerms(0, 6_500, 11_000)
"""Collateral that counts against liquidation, and for no loan."""


@dataclass
class AaveWorld:
    """The chain and its market; prices by symbol are what the oracle tells."""

    evm: LocalEvm
    tokens: dict[str, Token]
    market: AaveMarket
    prices: dict[str, int]

    @classmethod
    def start(cls) -> AaveWorld:
        evm = LocalEvm()
        tokens = deploy_tokens(evm, 1337)
        market = deploy_aave_v3(evm, tokens)
        world = cls(evm, tokens, market, dict(PRICES))
        for symbol, decimals, terms in (("ISO", 18, ISOLATED), ("SILO", 6, SILOED), ("ZERO", 8, WORTHLESS)):
            tokens[symbol] = deploy_token(evm, 1337, symbol, decimals)
            world.prices[symbol] = 7 * BASE_UNIT
            market.list_reserve(tokens[symbol], terms, world.prices[symbol])
        for token in tokens.values():
            for person in (TRADER, LENDER, KEEPER, STABLE, SILOED_ONE):
                fund(evm, token, person, world.worth(token, _WEALTH))
                approve(evm, token, person, market.pool)
        for token in tokens.values():
            market.act(LENDER, "supply", token.address, world.worth(token, 10**6), LENDER, 0)
        weth = tokens["WETH"]
        for borrower, symbol, mode in BORROWERS:
            market.act(borrower, "supply", weth.address, world.worth(weth, 400_000), borrower, 0)
            amount = world.worth(tokens[symbol], 90_000)
            market.act(borrower, "borrow", tokens[symbol].address, amount, mode, 0, borrower)
        return world

    def worth(self, token: Token, dollars: int) -> int:
        return dollars * BASE_UNIT * 10**token.decimals // self.prices[token.symbol]

    def read(self, owner: Address = TRADER) -> AaveAccount:
        everything = [token.address for token in self.tokens.values()]
        return perform(self.evm, read_aave_account(self.market.pool, owner, everything))

    def get_health_factor(self, owner: Address = TRADER) -> int:
        return int.from_bytes(self.market.deployed.ask("pool", "getUserAccountData", owner)[-32:])

    def set_price(self, symbol: str, price: int) -> None:
        self.prices[symbol] = price
        self.market.set_price(self.tokens[symbol], price)

    def send(self, sender: Address, data: bytes) -> str | None:
        """Call the pool; return why it reverted, as the mirror says it, or None."""
        try:
            self.evm.call(sender, self.market.pool, data)
        except RevertError as error:
            return str(error.arguments[0]) if error.name == "Error" else error.name
        return None

    def move_prices(self, rng: Random) -> None:
        for symbol in rng.sample(sorted(self.prices), 2):
            self.set_price(symbol, max(1, round(self.prices[symbol] * rng.lognormvariate(0, 0.15))))
