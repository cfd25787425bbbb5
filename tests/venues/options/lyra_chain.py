"""Lyra's bytecode in an in-process EVM: random markets, orders sent to it, and what they did."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from eth_abi import decode
from evm_reading import perform
from random_cases import pick_scale

from onchain_exec.app.sandbox.derivatives.deployed import Deployed
from onchain_exec.app.sandbox.derivatives.lyra import deploy_lyra, get_contracts
from onchain_exec.app.sandbox.derivatives.lyra_parameters import DAY, PARAMETERS, wad
from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.chain import decode_revert
from onchain_exec.core import Call
from onchain_exec.core.abi import Function
from onchain_exec.core.fixed_point import MAX_UINT256
from onchain_exec.errors import RevertError
from onchain_exec.testing.evm import LocalEvm
from onchain_exec.venues.options.lyra.codec import encode_trade
from onchain_exec.venues.options.lyra.errors import LYRA_ERRORS
from onchain_exec.venues.options.lyra.pricer import Direction
from onchain_exec.venues.options.lyra.reads import read_market, read_positions
from onchain_exec.venues.options.lyra.state import Contracts, LyraState, OptionType, StoredPosition
from onchain_exec.venues.options.lyra.trade import Holding, LyraOrder

START = 1_700_000_000
BALANCE_OF = Function("balanceOf(address)", "(uint256)")


@dataclass(frozen=True)
class LyraChain:
    """The market, and the deployer who trades in it."""

    evm: LocalEvm
    lyra: Deployed
    contracts: Contracts

    @classmethod
    def start(cls) -> LyraChain:
        evm = LocalEvm(timestamp=START)
        lyra = deploy_lyra(evm, START)
        return cls(evm, lyra, get_contracts(lyra))

    def read(self) -> LyraState:
        return perform(self.evm, read_market(self.contracts))

    def read_positions(self) -> tuple[StoredPosition, ...]:
        return perform(self.evm, read_positions(self.contracts, DEPLOYER))

    def set_spot(self, spot_wad: int, *, invalid: bool = False) -> None:
        self.lyra.call("rates", "setRateAndInvalid", b"sETH".ljust(32, b"\0"), spot_wad, invalid)

    def pass_time(self, seconds: int) -> None:
        self.evm.timestamp += seconds

    def run(self, call: Call) -> bytes:
        """Make the trader's call; raise RevertError with Lyra's own errors decoded."""
        assert call.to is not None
        try:
            return self.evm.call(DEPLOYER, call.to, call.data)
        except RevertError as error:
            raise decode_revert(error.data, LYRA_ERRORS) from error

    def trade(self, order: LyraOrder) -> tuple[int, int, int, int]:
        """Send an order without bounds; return its cost, its fee, and the quote and base that left."""
        before = self.get_balances()
        answer = self.run(encode_trade(self.contracts, order, 0, MAX_UINT256))
        _, cost, fee = decode(("uint256", "uint256", "uint256"), answer)
        quote, base = (then - now for then, now in zip(before, self.get_balances(), strict=True))
        return cost, fee, quote, base

    def get_balances(self) -> tuple[int, int]:
        """The trader's quote and base."""
        quote, base = (
            BALANCE_OF.decode(self.evm.static_call(token, BALANCE_OF.encode(DEPLOYER)))[0]
            for token in (self.contracts.quote, self.contracts.base)
        )
        return quote, base


def vary(chain: LyraChain, rng: Random) -> None:
    """List a board of 100 days, whose fees are higher, and change the limits of trades."""
    strikes, skews = [wad(k) for k in ("1500", "2000", "2500")], [wad("1")] * 3
    chain.lyra.call("OptionMarket", "createOptionBoard", START + 100 * DAY, wad("0.9"), strikes, skews, False)
    limits = next(fields for _, setter, fields in PARAMETERS if setter == "setTradeLimitParams")
    chain.lyra.call(
        "OptionMarketPricer", "setTradeLimitParams", {**limits, "capSkewsToAbs": rng.random() < 0.5}
    )


def disturb(chain: LyraChain, rng: Random) -> None:
    """Move the spot and the clock, and trade: whatever reverts has not happened."""
    for _ in range(rng.randint(1, 3)):
        chain.set_spot(int(wad("1742") * rng.uniform(0.6, 1.6)))
        chain.pass_time(rng.choice((0, 60, 3_600, DAY, rng.randrange(8 * DAY))))
        if rng.random() < 0.5 and chain.evm.timestamp < START + 28 * DAY:
            chain.lyra.call("OptionGreekCache", "updateBoardCachedGreeks", 1)
        for _ in range(rng.randint(0, 3)):
            attempt(chain, draw_order(chain, rng))


def attempt(chain: LyraChain, order: LyraOrder) -> tuple[int, int, int, int] | RevertError:
    """Send an order; return what it did, or why it was refused."""
    try:
        return chain.trade(order)
    except RevertError as error:
        return error


def draw_order(chain: LyraChain, rng: Random) -> LyraOrder:
    """Draw an order of every kind: mostly one that may pass, on a new position or one that is held."""
    positions = chain.read_positions()
    position = rng.choice(positions) if positions and rng.random() < 0.6 else None
    direction = rng.choice(
        (Direction.OPEN, Direction.OPEN, Direction.CLOSE, Direction.FORCE_CLOSE)
        if position
        else (Direction.OPEN,)
    )
    kind = position.option_type if position else rng.choice(tuple(OptionType))
    amount = pick_scale(rng, 10**12, wad("200"))
    if position and direction is not Direction.OPEN:
        amount = rng.choice((position.amount, position.amount // 2, min(amount, position.amount), amount))
    unit = wad("2") if kind is OptionType.SHORT_CALL_BASE else wad("3000")
    total = amount + (position.amount if position else 0)
    collateral = int(total * unit // wad("1") * rng.uniform(0.1, 1)) + unit // 4
    closes_all = position is not None and direction is not Direction.OPEN and amount == position.amount
    return LyraOrder(
        position.strike_id if position else rng.randint(1, 6),
        kind,
        direction,
        amount,
        Holding(position.position_id, position.amount, position.collateral) if position else Holding(),
        0 if kind.is_long or closes_all else collateral,
        rng.choice((1, 1, 2, 5)),
    )
