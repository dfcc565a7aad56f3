"""Tests that are left out are told of in the last lines of a run."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from conftest import NO_REFERENCE_DATA, pytest_terminal_summary


class Reporter:
    """A reporter with these skipped tests; it keeps what it is told to write."""

    def __init__(self, *reasons: str) -> None:
        self.stats = {"skipped": [SimpleNamespace(longrepr=("file.py", 1, f"Skipped: {each}")) for each in reasons]}
        self.lines: list[str] = []

    def write_line(self, line: str, **markup: Any) -> None:
        self.lines.append(line)


def test_it_is_said_how_many_tests_had_no_reference_data_and_what_names_it() -> None:
    reporter = Reporter(f"{NO_REFERENCE_DATA} in /nowhere", "no curl", f"{NO_REFERENCE_DATA} in /nowhere")
    pytest_terminal_summary(reporter)  # type: ignore[arg-type]
    (line,) = reporter.lines
    assert line.startswith(f"2 tests were left out: {NO_REFERENCE_DATA} in /nowhere; ")
    assert "CRM_REFERENCE_DATA" in line


def test_nothing_is_said_when_nothing_is_left_out() -> None:
    reporter = Reporter("no curl")
    pytest_terminal_summary(reporter)  # type: ignore[arg-type]
    assert reporter.lines == []
