"""The chain's own answers for a v4 pool of ether; the source stands in the file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from onchain_exec.core import Exact, Token, to_address
from onchain_exec.errors import PartialFillError
from onchain_exec.venues.uniswap_v4 import UniswapV4Pool

RECORDED = json.loads((Path(__file__).parents[2] / "golden" / "uniswap_v4_eth_usdc_answers.json").read_text())
TOKENS = tuple(
    Token(int(token["chain_id"]), to_address(token["address"]), token["symbol"], int(token["decimals"]))
    for token in RECORDED["tokens"]
)


def test_pool_id_of_recorded_key_is_the_recorded_id() -> None:
    pool = UniswapV4Pool.from_json(RECORDED["pool"], TOKENS)
    assert f"0x{pool.pool_key.pool_id.hex()}" == RECORDED["pool"]["pool_id"]
    assert UniswapV4Pool.from_json(pool.to_json(), TOKENS) == pool


@pytest.mark.parametrize("answer", RECORDED["answers"], ids=lambda answer: " ".join(map(str, answer[:4])))
def test_quote_recorded_chain_answers_same_amounts(answer: list[str | None]) -> None:
    pool = UniswapV4Pool.from_json(RECORDED["pool"], TOKENS)
    by_symbol = {token.symbol: token for token in TOKENS}
    token_in, token_out, side, amount, expected = answer
    arguments = by_symbol[str(token_in)], by_symbol[str(token_out)], int(str(amount)), Exact(side)
    if expected is None:
        with pytest.raises(PartialFillError):  # the quoter's NotEnoughLiquidity
            pool.quote(*arguments)
    else:
        assert pool.quote(*arguments) == int(expected)
