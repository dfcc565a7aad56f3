"""Tables out: rows and columns as CSV, as a workbook, or as JSON, each put in its place only when it is whole."""

from sheets.writing.cells import PLAIN, Cell, Column, Line, Style
from sheets.writing.formats import SUFFIXES, Format, Sheet, written

__all__ = [
    "PLAIN",
    "SUFFIXES",
    "Cell",
    "Column",
    "Format",
    "Line",
    "Sheet",
    "Style",
    "written",
]
