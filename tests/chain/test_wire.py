"""Laws of the batch codec: whole and in order, or a typed error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onchain_exec.chain.wire import read_batch, split_batch
from onchain_exec.errors import NodeUnreachableError

FIRST_ID = 17
METHODS = ["m"] * 8
ANSWERS = [{"jsonrpc": "2.0", "id": FIRST_ID + index, "result": index} for index in range(len(METHODS))]


def _decode(answers: list[object]) -> tuple[object, ...]:
    return read_batch(answers, FIRST_ID, METHODS, "http://node")


@given(st.permutations(ANSWERS))
def test_read_batch_in_any_order_returns_the_requests_order(answers: list[object]) -> None:
    assert _decode(answers) == tuple(range(len(METHODS)))


@given(st.permutations(ANSWERS), st.integers(1, len(ANSWERS)))
def test_read_batch_when_answers_are_missing_raises(answers: list[object], missing: int) -> None:
    with pytest.raises(NodeUnreachableError, match="answers came for a batch"):
        _decode(answers[missing:])


@given(st.permutations(ANSWERS), st.sampled_from(ANSWERS), st.booleans())
def test_read_batch_when_an_answer_comes_twice_raises(
    answers: list[object], twice: dict[str, object], instead: bool
) -> None:
    answers = [*answers[1:], twice] if instead and answers[0] != twice else [*answers, twice]
    with pytest.raises(NodeUnreachableError, match="two answers"):
        _decode(answers)


@given(
    st.integers(0, len(ANSWERS) - 1),
    st.one_of(
        st.none(),
        st.text(),
        st.booleans(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.integers(max_value=16),
    ),
)
def test_read_batch_when_an_id_is_unknown_raises(index: int, request_id: object) -> None:
    answers = [dict(answer) for answer in ANSWERS]
    answers[index]["id"] = request_id
    with pytest.raises(NodeUnreachableError, match="did not hold"):
        _decode(answers)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_read_batch_of_any_other_json_raises(answers: object) -> None:
    with pytest.raises(NodeUnreachableError):
        _decode(answers)  # type: ignore[arg-type]


@given(st.lists(st.binary(min_size=1, max_size=40)), st.integers(1, 5), st.integers(1, 100))
def test_split_batch_keeps_every_request_within_both_limits(
    encoded: list[bytes], max_requests: int, max_bytes: int
) -> None:
    parts = list(split_batch(encoded, max_requests, max_bytes))
    assert [item for start, stop, _ in parts for item in encoded[start:stop]] == encoded
    for start, stop, body in parts:
        assert 1 <= stop - start <= max_requests
        assert stop - start == 1 or len(body) <= max_bytes + 2
        assert body == b"[" + b",".join(encoded[start:stop]) + b"]"
