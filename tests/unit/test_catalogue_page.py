"""The page on the catalogue says what is so: every id once, and every test it names is there and names the id."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PAGE = (TESTS.parent / "docs" / "catalogue.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| ")]
ITEMS = {row[0]: row for row in ROWS if re.fullmatch(r"[A-Z]{3}-\d+", row[0])}
LAST = {"CUS": 15, "FUP": 10, "LIF": 10, "OPP": 5, "ORD": 10}
RANGE = re.compile(r"([A-Z]{3})-(\d+) to \1-(\d+)")


def named_by_tests() -> dict[str, str]:
    """What each test says of itself: its name and its docstring, ranges of ids written out."""
    found: dict[str, str] = {}
    for path in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                found[node.name] = found.get(node.name, "") + " ".join(_said(node))
    return found


def _said(node: ast.FunctionDef) -> Iterator[str]:
    yield re.sub(r"_([a-z]{3})_(\d+)(?=_|$)", lambda found: f" {found[1].upper()}-{found[2]} ", node.name)
    text = ast.get_docstring(node) or ""
    yield text
    for kind, first, last in RANGE.findall(text):
        yield from (f"{kind}-{number}" for number in range(int(first), int(last) + 1))


SAID = named_by_tests()


def test_every_item_stands_there_once() -> None:
    wanted = {f"{kind}-{number}" for kind, last in LAST.items() for number in range(1, last + 1)}
    assert wanted <= set(ITEMS)
    assert len(ITEMS) == sum(bool(re.fullmatch(r"[A-Z]{3}-\d+", row[0])) for row in ROWS)


@pytest.mark.parametrize("item", ITEMS)
def test_what_an_item_names_is_there(item: str) -> None:
    _, _, where, test = ITEMS[item]
    names = re.findall(r"`(test_\w+)`", test)
    assert names or where.startswith("not yet"), "it is shown by a test, or not there"
    for name in names:
        assert re.search(rf"\b{item}\b", SAID.get(name, "")), f"{name} does not name {item}"
