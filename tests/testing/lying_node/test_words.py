"""What every client says is understood, and none of it is taken for a rate limit: catalogue 19, 34, 39."""

from __future__ import annotations

import re

import pytest

from onchain_exec.chain.rate_limits import is_rate_limit
from onchain_exec.errors import NodeRefusedError
from onchain_exec.execution.delivery.refusals import Refusal as Meaning
from onchain_exec.execution.delivery.refusals import classify_refusal
from onchain_exec.testing.lying_node import RATE_LIMITS, WORDS, Client, Reason, Refusal
from onchain_exec.testing.lying_node.dialects import find_reason

MEANINGS = {
    Reason.KNOWN: Meaning.KNOWN,
    Reason.NONCE_TOO_LOW: Meaning.NONCE_CONSUMED,
    Reason.NONCE_GAP: Meaning.NOT_NOW,
    Reason.POOL_FULL: Meaning.NOT_NOW,
    Reason.IN_FLIGHT: Meaning.NOT_NOW,
    Reason.RESERVED: Meaning.NOT_NOW,
}
ROWS = [pytest.param(c, r, id=f"{c.value}: {r.name}") for c, rows in WORDS.items() for r in rows]


def _error(words: Refusal) -> NodeRefusedError:
    return NodeRefusedError("eth_sendRawTransaction", words.code, words.message, words.data)


@pytest.mark.parametrize(("client", "reason"), ROWS)
def test_refusal_in_each_dialect_is_understood(client: Client, reason: Reason) -> None:
    words = WORDS[client][reason]
    assert classify_refusal(words.message) is MEANINGS.get(reason, Meaning.INVALID)
    assert not is_rate_limit(_error(words))


@pytest.mark.parametrize("client", Client)
def test_every_client_says_what_decides_about_a_slot(client: Client) -> None:
    assert {Reason.KNOWN, Reason.NONCE_TOO_LOW, Reason.REPLACEMENT_UNDERPRICED} <= WORDS[client].keys()


@pytest.mark.parametrize("provider", RATE_LIMITS)
def test_rate_limit_of_each_provider_is_one(provider: str) -> None:
    assert is_rate_limit(_error(RATE_LIMITS[provider]))


@pytest.mark.parametrize("reason", Reason)
def test_find_reason_of_geths_own_words_is_that_reason(reason: Reason) -> None:
    assert find_reason(WORDS[Client.GETH][reason].message) is reason
    assert re.search(reason.value, WORDS[Client.GETH][reason].message)
