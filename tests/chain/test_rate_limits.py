"""Who asks to slow down, word for word, and who only uses the same codes: catalogue 34."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onchain_exec.chain.rate_limits import RATE_LIMITS, get_backoff_s, is_rate_limit
from onchain_exec.chain.wire import read_reply
from onchain_exec.errors import NodeRefusedError, RateLimitedError

INFURA_RATE = {"rate": {"allowed_rps": 50, "backoff_seconds": 30, "current_rps": 80.8}, "see": "https://"}
SAID: list[tuple[int, str, Any, float | None]] = [
    (429, "Your app has exceeded its compute units per second capacity.", None, None),  # Alchemy
    (429, "Too Many Requests", None, None),  # Infura since 2024
    (429, "The requests per second (RPS) of your requests are higher than your plan allows.", None, None),
    (-32005, "daily request count exceeded, request rate limited", None, None),  # Infura
    (-32005, "project ID request rate exceeded", {"backoff_seconds": 30.0}, 30.0),
    (-32005, "project ID request rate exceeded", INFURA_RATE, 30.0),
    (-32005, "limit exceeded", None, None),  # BNB Chain
    (-32005, "compute unit quota exceeded", None, None),
    (-32007, "50/second request limit reached - reduce calls per second", None, None),  # QuickNode
    (-32012, "credits limited to 6000/sec", None, None),
    (-32016, "over rate limit", None, None),  # Base
    (-32016, "Your IP has exceeded its rate limit", None, None),  # Alchemy
    (-32090, "Too many requests, retry in 10s", None, 10.0),  # Ankr
    (-32000, '429 Too Many Requests: {"code":-32016,"message":"over rate limit"}', None, None),
    (-32000, "requests limited to 5/s, try again after 1.5 seconds", None, 1.5),
    (-32600, "You've exceeded the RPS limit available on the current plan.", None, None),  # Chainstack
    (-32000, "you have reached the quota of your plan", None, None),
    (-32603, "rate limit exceeded", None, None),
]
OTHERWISE: list[tuple[int, str]] = [
    (-32005, "Transaction gas limit exceeds block gas limit"),  # Besu, these four
    (-32005, "Transaction gas limit cap exceeded"),
    (-32005, "Requested range exceeds maximum RPC range limit"),
    (-32005, "Number of requests exceeds max batch size"),
    (-32005, "query returned more than 10000 results"),  # Infura
    (-32005, "block range is too wide"),
    (-32602, "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range"),
    (-32007, "Sender account not authorized to send transactions"),  # Besu
    (-32000, "in-flight transaction limit reached for delegated accounts"),  # geth, these four
    (-32000, "account limit exceeded: pooled 16 txs"),
    (-32000, "exceeds block gas limit"),
    (-32000, "tx fee (2.00 ether) exceeds the configured cap (1.00 ether)"),
    (-32010, "TxGasLimitCapExceeded: Gas limit 16777217 exceeded cap of 16777216."),  # Nethermind
    (3, "execution reverted: rate limit exceeded"),  # a contract's own words
    (-32000, "execution reverted: Too many requests"),
]


def _error(code: int, message: str, data: Any = None) -> NodeRefusedError:
    return NodeRefusedError("eth_call", code, message, data)


@pytest.mark.parametrize(("code", "message", "data", "wait_s"), SAID)
def test_reply_in_which_a_provider_asks_to_slow_down_raises_with_its_wish(
    code: int, message: str, data: Any, wait_s: float | None
) -> None:
    answer = {"id": 1, "error": {"code": code, "message": message, "data": data}}
    with pytest.raises(RateLimitedError) as caught:
        read_reply(answer, 1, "eth_call", "node")
    assert caught.value.retry_after_s == wait_s


@pytest.mark.parametrize(("code", "message"), OTHERWISE)
def test_is_rate_limit_of_what_waiting_does_not_mend_is_false(code: int, message: str) -> None:
    assert not is_rate_limit(_error(code, message))


@pytest.mark.parametrize("limit", RATE_LIMITS)
def test_each_row_of_the_table_is_said_by_somebody(limit: Any) -> None:
    alone = [
        (code, message)
        for code, message, *_ in SAID
        if limit.code in (None, code) and re.search(limit.pattern, message, re.IGNORECASE)
    ]
    assert alone
    assert limit.source


@given(st.integers(-32100, -32000), st.text(alphabet="0123456789abcdef ", max_size=60))
def test_is_rate_limit_of_a_code_without_its_words_is_false(code: int, message: str) -> None:
    assert not is_rate_limit(_error(code, message))


@given(st.recursive(st.none() | st.text() | st.integers(), lambda inner: st.dictionaries(st.text(), inner)))
def test_get_backoff_of_any_data_is_none_or_what_it_names(data: Any) -> None:
    assert get_backoff_s(_error(-32005, "", data)) is None
    assert get_backoff_s(_error(-32005, "", {"a": data, "b": {"backoff_seconds": 3}})) == 3
