"""What was done to a book since `keep` can be taken back, all of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from onchain_exec.oms.book.undo import UndoDict, UndoLog

KEYS = st.integers(0, 3)
CHANGES = st.lists(
    st.one_of(
        st.tuples(st.just("set"), KEYS, st.integers()),
        st.tuples(st.just("del"), KEYS),
        st.tuples(st.just("pop"), KEYS),
    )
)


def change(entries: dict[int, int], changes: list[tuple]) -> None:
    for kind, key, *value in changes:
        if kind == "set":
            entries[key] = value[0]
        elif kind == "pop":
            entries.pop(key, None)
        elif key in entries:
            del entries[key]


@given(CHANGES, CHANGES, CHANGES)
def test_go_back_restores_what_was_at_the_mark(kept, before_mark, after_mark):
    log = UndoLog()
    entries: UndoDict[int, int] = UndoDict(log)
    change(entries, kept)
    log.keep()
    at_keep = dict(entries)
    change(entries, before_mark)
    mark, at_mark = log.get_mark(), dict(entries)
    change(entries, after_mark)
    log.go_back(mark)
    assert entries == at_mark
    log.go_back()
    assert entries == at_keep
