"""The receivables: what customers owe, what came in, and what is overdue on any day."""

from projections.receivables.aging import aging, by_status, punctuality
from projections.receivables.fold import Receivables
from projections.receivables.listing import OVERDUE, RECEIVABLES, one, overdue, page
from projections.receivables.standing import DIMENSIONS
from projections.receivables.statement import statement

__all__ = [
    "DIMENSIONS",
    "OVERDUE",
    "RECEIVABLES",
    "Receivables",
    "aging",
    "by_status",
    "one",
    "overdue",
    "page",
    "punctuality",
    "statement",
]
