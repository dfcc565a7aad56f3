"""The tables that can be taken along: their columns in the order in which a person reads them."""

from sheets.writing.tables.layout import Layout, UnknownColumn
from sheets.writing.tables.layouts import LAYOUTS

__all__ = ["LAYOUTS", "Layout", "UnknownColumn"]
