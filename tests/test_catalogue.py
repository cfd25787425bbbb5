"""Every known way in which execution breaks has a test that injects it and names it, and the README
says which one."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REQUIRED = {
    *range(1, 18),  # nonces and replacement
    *range(30, 41),  # RPC data and transport
    *range(41, 51),  # gas and fees
    *range(61, 73),  # private routing
    *range(80, 88),  # signers and custody
}
_NAMED = re.compile(r'[Cc]atalogue(?: entr(?:y|ies))?:?\s+([^.:"]*)')
_ASIDE = re.compile(r"\([^)]*\)")
_NUMBERS = re.compile(r"\b(\d+)(?: to (\d+))?\b")
_ROW = re.compile(r"^\| (\d+) \| [^|]+ \| (.+) \|$", re.MULTILINE)
_FILE = re.compile(r"`([^`]+)`")


def find_named(text: str) -> set[int]:
    """Return the entries that a file names, in "Catalogue entries 1 (why), 3 and 5 to 7"."""
    named: set[int] = set()
    for listed in _NAMED.findall(_ASIDE.sub("", text)):
        for first, last in _NUMBERS.findall(listed):
            named.update(range(int(first), int(last or first) + 1))
    return named


def list_tests() -> dict[int, set[str]]:
    """Return the test files by the entries they name."""
    found = defaultdict[int, set[str]](set)
    for path in sorted(ROOT.glob("tests/**/test_*.py")):
        for number in find_named(path.read_text("utf-8")) if path != Path(__file__) else ():
            found[number].add(path.relative_to(ROOT / "tests").as_posix())
    return found


def test_find_named_reads_lists_ranges_and_asides() -> None:
    text = '"""Catalogue entries 1 (a 429), 3,\n5 to 7. Then 9."""\n"""catalogue 12: 13"""'
    assert find_named(text) == {1, 3, 5, 6, 7, 12}


def test_every_required_entry_is_named_by_a_test() -> None:
    assert not REQUIRED - set(list_tests())


def test_readme_says_where_each_entry_is_tested() -> None:
    """What it says is true; a test that names more need not be listed."""
    rows = _ROW.findall((ROOT / "README.md").read_text("utf-8"))
    told = {int(number): set(_FILE.findall(files)) for number, files in rows}
    assert set(told) == REQUIRED
    named = list_tests()
    assert not {number: files - named[number] for number, files in told.items() if files - named[number]}
    assert all(told.values())
