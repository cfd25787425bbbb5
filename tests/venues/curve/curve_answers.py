"""What Curve's contracts answer to a reading, from a pool's state; ``get_dy`` is the golden answers'."""

from __future__ import annotations

import json
from pathlib import Path

from scripted_contract import answer_of, token_answers

from onchain_exec.core import Exact, Token, to_address

GOLDEN = Path(__file__).parents[2] / "golden"
POOL, BASE = to_address("0x" + "ee" * 20), to_address("0x" + "ba" * 20)
STABLE = json.loads((GOLDEN / "curve_stable_random.json").read_text())["pools"]
CRYPTO = json.loads((GOLDEN / "curve_crypto_random.json").read_text())["pools"]
TRICRYPTO = json.loads((GOLDEN / "curve_tricrypto_answers.json").read_text())
SEQUENCES = json.loads((GOLDEN / "curve_crypto_sequences.json").read_text())["pools"]
NOW = 1_700_000_000


def make_tokens(decimals):
    return tuple(Token(1, to_address(b"\xcc" * 19 + bytes([n])), f"T{n}", d) for n, d in enumerate(decimals))


def number(signature, value, *arguments):
    return answer_of(POOL, signature, ["uint256"], *arguments)(value)


def common_answers(pool, get_dy, off_by=0):
    answers = {}
    for index, (token, balance) in enumerate(zip(pool.tokens, pool.balances, strict=True)):
        answers |= answer_of(POOL, "coins(uint256)", ["address"], index)(token.address)
        answers |= number("balances(uint256)", balance, index) | token_answers(token)
    for side_in in (0, 1):
        for share in (10**6, 10**3, 10):
            amount = max(pool.balances[side_in] // share, 1)
            sides = pool.tokens[side_in], pool.tokens[1 - side_in]
            given = pool.quote(*sides, amount, Exact.IN) + off_by
            answers |= number(get_dy, given, side_in, 1 - side_in, amount)
    return answers


def stable_answers(entry, pool, off_by=0):
    answers = common_answers(pool, "get_dy(int128,int128,uint256)", off_by)
    answers |= number("fee()", pool.swap_fee_e10) | number("admin_fee()", pool.admin_fee_e10)
    if entry["source"] == "threepool":
        return answers | number("A()", pool.amp)
    answers |= number("A()", pool.amp // 100) | number("A_precise()", pool.amp)
    if entry["source"].endswith("ng"):
        answers |= number("offpeg_fee_multiplier()", pool.offpeg_multiplier_e10)
        return answers | answer_of(POOL, "stored_rates()", ["uint256[]"])(list(pool.rates_wad))
    if entry["source"] == "meta":
        answers |= answer_of(POOL, "base_pool()", ["address"])(BASE)
        answers |= number("base_virtual_price()", 10**18) | number("base_cache_updated()", NOW - 601)
        return answers | answer_of(BASE, "get_virtual_price()", ["uint256"])(pool.rates_wad[1])
    return answers


def crypto_answers(pool, a):
    answers = common_answers(pool, "get_dy(uint256,uint256,uint256)")
    facts = {"A": a, "gamma": pool.gamma, "D": pool.d, "mid_fee": pool.mid_fee_e10}
    facts |= {"out_fee": pool.out_fee_e10, "fee_gamma": pool.fee_gamma}
    for name, value in facts.items():
        answers |= number(f"{name}()", value)
    if len(pool.tokens) == 2:
        return answers | number("price_scale()", pool.price_scale_wad[0])
    for index, price in enumerate(pool.price_scale_wad):
        answers |= number("price_scale(uint256)", price, index)
    return answers


def peg_answers(pool):
    """Return what is told of a peg that was averaged at the time of the reading."""
    peg, ramp = pool.peg, pool.peg.ramp
    two = len(pool.tokens) == 2
    answers = answer_of(POOL, "version()", ["string"])(
        "v2.1.0" if pool.flavour.value == "twocrypto_ng" else "v2.0.0"
    )
    rebalancing = peg.allowed_extra_profit_wad << 128 | peg.adjustment_step_wad << 64 | peg.ma_time_s
    facts = {
        "totalSupply": peg.lp_supply,
        "virtual_price": peg.virtual_price_wad,
        "xcp_profit": peg.xcp_profit_wad,
        "packed_rebalancing_params": rebalancing,
        "initial_A_gamma": ramp.start[0] << 128 | ramp.start[1],
        "future_A_gamma": ramp.end[0] << 128 | ramp.end[1],
        "initial_A_gamma_time": ramp.started_at,
        "future_A_gamma_time": ramp.ends_at,
        "last_timestamp" if two else "last_prices_timestamp": peg.averaged_at,
    }
    for name, value in facts.items():
        answers |= number(f"{name}()", value)
    for name, prices in (("price_oracle", peg.price_oracle_wad), ("last_prices", peg.last_prices_wad)):
        for index, price in enumerate(prices):
            answers |= number(f"{name}()", price) if two else number(f"{name}(uint256)", price, index)
    return answers
