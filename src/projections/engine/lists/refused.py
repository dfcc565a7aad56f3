"""What a list refuses to be asked: each with the part of the query string to blame."""

from __future__ import annotations

from typing import ClassVar

from aggregates.base import DomainError


class QueryRefused(DomainError):
    """A list was asked for in a way it does not know; `parameter` is the part of the query string to blame."""

    code: ClassVar[str] = "query-refused"
    parameter: str


class UnknownParameter(QueryRefused):
    """The query string has a parameter that nothing here understands."""

    code = "unknown-parameter"
    accepted: tuple[str, ...]


class RepeatedParameter(QueryRefused):
    """The query string says twice what can be said once."""

    code = "repeated-parameter"


class UnknownField(QueryRefused):
    """The list has no such field to filter by."""

    code = "unknown-filter-field"
    column: str
    accepted: tuple[str, ...]


class MaskedField(QueryRefused):
    """Whoever sees a field only in part cannot filter or sort by it: the answers would tell the rest."""

    code = "masked-field"
    column: str


class UnknownOperator(QueryRefused):
    """The field cannot be asked about in this way."""

    code = "unknown-filter-operator"
    column: str
    accepted: tuple[str, ...]


class UnfitValue(QueryRefused):
    """The value is not of the field's kind."""

    code = "unfit-filter-value"
    value: str | None
    kind: str
    accepted: tuple[str, ...]


class UnknownSort(QueryRefused):
    """The list cannot be sorted by this."""

    code = "unknown-sort-field"
    value: str
    accepted: tuple[str, ...]
    most: int


class UnfitSearch(QueryRefused):
    """The words searched for are too long, or the list has nothing to search (then `most` is 0)."""

    code = "unfit-search"
    most: int


class UnfitCursor(QueryRefused):
    """The cursor was changed, or belongs to another filter, sort or moment."""

    code = "unfit-cursor"


class UnfitLimit(QueryRefused):
    """The page size is not a number that a page can have."""

    code = "unfit-limit"
    value: str
    most: int


class TooManyFilters(QueryRefused):
    """More conditions than one question may have."""

    code = "too-many-filters"
    most: int
