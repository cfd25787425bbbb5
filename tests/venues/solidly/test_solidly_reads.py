"""Readings of Solidly pools, from contracts that answer from a table."""

from __future__ import annotations

import pytest
from scripted_contract import answer_of, perform_scripted, token_answers

from onchain_exec.core import Token, to_address
from onchain_exec.errors import InputError, NoPoolError
from onchain_exec.venues.solidly import SolidlyPool, Variant, read_solidly_pool

POOL, FACTORY = to_address("0x" + "ee" * 20), to_address("0x" + "fa" * 20)
TOKENS = (
    Token(8453, to_address("0x" + "11" * 20), "DOLA", 18),
    Token(8453, to_address("0x" + "22" * 20), "USDC", 6),
)


def make_answers(paused=False, one_fee=False):
    addresses = (token.address for token in TOKENS)
    words = ["uint256"] * 4 + ["bool", "address", "address"]
    answers = answer_of(POOL, "metadata()", words)(10**18, 10**6, 10**24, 10**12, True, *addresses)
    answers |= answer_of(FACTORY, "isPaused()", ["bool"])(paused)
    if one_fee:
        answers |= answer_of(FACTORY, "getFee(bool)", ["uint256"], True)(2)
    else:
        answers |= answer_of(POOL, "factory()", ["address"])(FACTORY)
        answers |= answer_of(FACTORY, "getFee(address,bool)", ["uint256"], POOL, True)(5)
    return answers | token_answers(TOKENS[0]) | token_answers(TOKENS[1])


@pytest.mark.parametrize(("chain_id", "variant"), [(8453, Variant.AERODROME), (10, Variant.VELODROME_V2)])
def test_read_takes_the_fee_of_the_factory_and_the_arithmetic_of_the_chain(chain_id, variant):
    tokens = tuple(Token(chain_id, token.address, token.symbol, token.decimals) for token in TOKENS)
    found = perform_scripted(read_solidly_pool(POOL), make_answers(), chain_id)
    assert found == SolidlyPool(POOL, *tokens, 10**24, 10**12, True, 500, variant)


def test_read_of_a_version_1_pool_takes_the_factory_that_is_given():
    found = perform_scripted(read_solidly_pool(POOL, factory=FACTORY), make_answers(one_fee=True), 8453)
    assert (found.swap_fee_pips, found.variant) == (200, Variant.SOLIDLY)
    with pytest.raises(InputError, match="factory"):
        perform_scripted(read_solidly_pool(POOL), make_answers(one_fee=True))


def test_read_of_a_paused_pool_is_refused():
    with pytest.raises(NoPoolError, match="paused"):
        perform_scripted(read_solidly_pool(POOL), make_answers(paused=True))
