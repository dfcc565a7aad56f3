"""Reads tables from files, strictly: every row comes with its line, and whatever cannot be read says why."""

from sheets.reading.encoding import Encoding, Inspection, inspect
from sheets.reading.refusals import Refusal, Unreadable, shorten
from sheets.reading.table import Column, Layout, Row, Table, open_table

__all__ = [
    "Column",
    "Encoding",
    "Inspection",
    "Layout",
    "Refusal",
    "Row",
    "Table",
    "Unreadable",
    "inspect",
    "open_table",
    "shorten",
]
