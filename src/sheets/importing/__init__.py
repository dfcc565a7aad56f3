"""Brings the rows of a source into the ledger: each whole or not at all, and never twice."""

from sheets.importing.importer import Importer
from sheets.importing.report import Count, Report

__all__ = ["Count", "Importer", "Report"]
