"""The Router's calldata, there and back."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onchain_exec.core import Comparison, Condition, to_address
from onchain_exec.core.artifact import get_artifact
from onchain_exec.core.fixed_point import MAX_UINT256
from onchain_exec.errors import InputError
from onchain_exec.venues.router import (
    ROUTER_ERRORS,
    Input,
    Output,
    RouterCall,
    RouterHop,
    RouterPermit,
    RouterTerms,
    Venue,
    decode_router_call,
    encode_router_call,
)

INTERFACE = Path(__file__).parents[3] / "contracts" / "interfaces" / "IRouter.sol"

addresses = st.binary(min_size=20, max_size=20).map(to_address)
words = st.integers(0, MAX_UINT256)
terms = st.builds(RouterTerms, addresses, addresses, words, words, addresses, words)
hops = st.builds(
    RouterHop,
    st.sampled_from(Venue),
    st.sampled_from(Input),
    st.sampled_from(Output),
    st.booleans(),
    addresses,
    addresses,
    addresses,
    words,
    words,
)
unsigned = st.sampled_from([kind for kind in Comparison if not kind.signed])
signed = st.sampled_from([kind for kind in Comparison if kind.signed])
conditions = st.builds(Condition, addresses, st.binary(max_size=70), unsigned, words, words) | st.builds(
    Condition, addresses, st.binary(max_size=70), signed, st.integers(-(2**255), 2**255 - 1), words
)
permits = st.none() | st.builds(RouterPermit, addresses, words, st.binary(max_size=70))
runs = (terms, st.lists(hops, max_size=5).map(tuple), st.lists(conditions, max_size=3).map(tuple))
others = st.lists(st.tuples(addresses, words), max_size=3).map(tuple)
calls = st.builds(RouterCall, *runs, permits) | st.builds(RouterCall, *runs, more=others)


@given(calls)
def test_decode_router_call_of_encoded_returns_the_same(call: RouterCall) -> None:
    assert decode_router_call(encode_router_call(call)) == call


NO_TERMS = RouterTerms(*[to_address(bytes(20))] * 2, 0, 0, to_address(bytes(20)), 0)
PERMIT = RouterPermit(to_address(bytes(20)), 0, b"")
SELECTORS = [
    encode_router_call(call)[:4]
    for call in (
        RouterCall(NO_TERMS, ()),
        RouterCall(NO_TERMS, (), permit=PERMIT),
        RouterCall(NO_TERMS, (), more=((NO_TERMS.token_in, 1),)),
    )
]


@given(
    st.binary(max_size=900) | st.builds(bytes.__add__, st.sampled_from(SELECTORS), st.binary(max_size=900))
)
def test_decode_router_call_of_other_calldata_raises_input_error(calldata: bytes) -> None:
    with pytest.raises(InputError):
        decode_router_call(calldata)


@given(calls.filter(lambda call: call.hops), st.integers(len(Venue), 255))
def test_decode_router_call_unknown_venue_raises_input_error(call: RouterCall, venue: int) -> None:
    calldata = encode_router_call(call)
    first = call.hops[0]
    known = b"".join(
        int(word).to_bytes(32) for word in (first.venue, first.input, first.output, first.exact_out)
    )
    assert known in calldata
    with pytest.raises(InputError):
        decode_router_call(calldata.replace(known, venue.to_bytes(32) + known[32:]))


def test_router_errors_are_those_of_the_contract() -> None:
    declared = {
        f"{item['name']}({','.join(parameter['type'] for parameter in item['inputs'])})"
        for item in get_artifact("Router").abi
        if item["type"] == "error"
    }
    assert {error.signature for error in ROUTER_ERRORS} == declared
    assert all(error.hint for error in ROUTER_ERRORS)


def test_enums_are_those_of_the_contract() -> None:
    source = {kind: [member.name for member in kind] for kind in (Venue, Input, Output, Comparison)}
    text = "".join(INTERFACE.read_text().split())
    for kind, names in source.items():
        assert f"enum{kind.__name__}{{{','.join(names)}}}" in text
