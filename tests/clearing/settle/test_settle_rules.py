"""Rules of the contract that random calls seldom come near, each at its edge, on both sides."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from clearing.settle.book_of_orders import MATCHER, NOW, RICH, SUNSET_AT, Stage, set_stage
from clearing.settle.test_settle_against_contract import run
from onchain_exec.clearing.settle import SettleFill, SettleOrder, replica
from onchain_exec.clearing.settle.batch import Batch, encode_take, get_tokens
from onchain_exec.clearing.settle.contract import SETTLE_ERRORS
from onchain_exec.clearing.settle.fill import pack_fill, unpack_fill
from onchain_exec.clearing.settle.money import apply_transfers, get_take_transfers
from onchain_exec.errors import InputError, RevertError, SettleRevertError


def fill_of(stage: Stage, amount_in: int, amount_out: int, fee: int = 0) -> SettleFill:
    """Return a fill of an order that takes any price and fee."""
    sold, bought = stage.tokens[:2]
    order = SettleOrder(stage.owners[0], sold, bought, 50, 1, deadline_at=NOW, seq=1, max_fee_bps=10_000)
    return SettleFill(order, stage.sign(order), amount_in, amount_out, fee)


def test_settle_near_uniform_prices_equals_the_contract(rng: random.Random) -> None:
    """A fill may exceed the prices, by less than a unit of each token, and never fall short of them."""
    stage, judged = set_stage(1), Counter[str | None]()
    moment = replica.Moment(stage.domain, MATCHER, NOW)
    for _ in range(150):
        price_in, price_out, amount_in = rng.randrange(1, 12), rng.randrange(1, 12), rng.randrange(1, 51)
        paid = max(1, -(-amount_in * price_in // price_out) + rng.choice((-1, 0, 0, 1, 2)))
        fee = rng.randrange(paid)
        fill = fill_of(stage, amount_in, paid - fee, fee)
        batch = Batch(get_tokens((fill,)), (fill,), (price_in, price_out))
        try:
            replica.settle(replica.SettleState(SUNSET_AT), batch, moment)
            expected = "TokenCallFailed"  # nobody brings what the owner is to get
        except SettleRevertError as error:
            expected = error.reason
        assert run(stage, batch.encode()) == expected
        judged[expected] += 1
    assert judged.keys() == {"TokenCallFailed", "NotUniform"}
    assert min(judged.values()) > 30


def test_take_of_an_own_order_is_refused_as_by_the_contract() -> None:
    stage = set_stage(1)
    fill, owner = fill_of(stage, 50, 50), stage.owners[0]
    balances = {(token, owner): RICH for token in stage.tokens}
    with pytest.raises(SettleRevertError) as expected:
        apply_transfers(balances, get_take_transfers(fill, owner))
    with pytest.raises(RevertError) as found:
        stage.evm.call(owner, stage.domain.contract, encode_take(fill))
    names = {error.selector: error.name for error in SETTLE_ERRORS}
    assert names[found.value.data[:4]] == expected.value.reason == "TransferShort"


@pytest.mark.parametrize(
    ("bought", "amount_in", "amount_out"), [(1, 0, 5), (1, 5, 0), (0, 5, 5)], ids=["in", "out", "token"]
)
def test_order_that_gives_its_tokens_away_is_refused(bought: int, amount_in: int, amount_out: int) -> None:
    sold, other = "0x" + "11" * 20, "0x" + "22" * 20
    with pytest.raises(InputError):
        SettleOrder(MATCHER, sold, (sold, other)[bought], amount_in, amount_out, deadline_at=NOW, seq=1)


def test_unpack_fill_of_an_index_without_a_token_or_scheme_is_refused() -> None:
    stage = set_stage(1)
    fill = fill_of(stage, 50, 50)
    words = pack_fill(fill, stage.tokens[:2], [])
    assert unpack_fill(words, stage.tokens[:2], (), MATCHER) == fill
    for terms, tokens in ((words.terms, 1), (words.terms | 0xFF << 64, 2), (words.terms | 0x7F << 48, 2)):
        with pytest.raises(InputError, match="tokens"):
            unpack_fill(words._replace(terms=terms), stage.tokens[:tokens], (), MATCHER)
