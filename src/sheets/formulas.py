"""Texts that a spreadsheet program would run: an apostrophe before them keeps it from that, and is taken off again."""

from __future__ import annotations

import re

_RUNS = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
"""What makes a program take a text for a formula, full-width forms included (OWASP, CSV injection), and the same with
apostrophes before it already, so that taking one off gives back what there was."""
_NUMBER = re.compile(r"\+[0-9]+")
"""A telephone number with its country: as a formula it is itself."""


def neutral(text: str) -> str:
    """The text as it may stand in a file that is opened by such a program."""
    return f"'{text}" if _RUNS.match(text) and not _NUMBER.fullmatch(text) else text


def plain(cell: str) -> str:
    """The text that stands in a cell of such a file."""
    return cell[1:] if cell.startswith("'") and _RUNS.match(cell) else cell
