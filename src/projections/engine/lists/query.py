"""What a client asks of a list, read from a query string."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from projections.engine.lists.cursor import Cursors
from projections.engine.lists.refused import RepeatedParameter, TooManyFilters, UnfitLimit, UnfitValue, UnknownParameter
from projections.engine.lists.values import Unreadable, read_bool

DEFAULT_LIMIT, MAX_LIMIT, MAX_FILTERS = 50, 200, 30
_FILTER = re.compile(r"([A-Za-z_][A-Za-z0-9_.]*)\[([A-Za-z]*)\]", re.ASCII)
_OWN = ("q", "sort", "cursor", "limit", "include_total")


@dataclass(frozen=True)
class Filter:
    """One condition as the client wrote it: `field[op]=value`."""

    field: str
    op: str
    value: str

    @property
    def parameter(self) -> str:
        """How the client named it."""
        return f"{self.field}[{self.op}]"


@dataclass(frozen=True)
class Query:
    """What a client asks of a list; `scope` ties cursors to everything else that was asked (path, day, moment)."""

    filters: tuple[Filter, ...] = ()
    sort: str | None = None
    q: str | None = None
    cursor: str | None = None
    limit: int = DEFAULT_LIMIT
    include_total: bool = False
    scope: str = ""
    cursors: Cursors = field(default_factory=Cursors, repr=False)

    @classmethod
    def parse(
        cls,
        pairs: Iterable[tuple[str, str]],
        *,
        also: Iterable[str] = (),
        scope: str = "",
        cursors: Cursors | None = None,
    ) -> Query:
        """Reads a query string's pairs; parameters named in `also` belong to the caller. Raises QueryRefused."""
        also = tuple(also)
        filters: list[Filter] = []
        own: dict[str, str] = {}
        for name, value in pairs:
            if match := _FILTER.fullmatch(name):
                filters.append(Filter(match[1], match[2], value))
            elif name in _OWN:
                if name in own:
                    raise RepeatedParameter(parameter=name)
                own[name] = value
            elif name not in also:
                raise UnknownParameter(parameter=name, accepted=(*also, *_OWN, "field[op]"))
        if len(filters) > MAX_FILTERS:
            raise TooManyFilters(parameter=filters[MAX_FILTERS].parameter, most=MAX_FILTERS)
        return cls(
            filters=tuple(filters),
            sort=own.get("sort") or None,
            q=own.get("q") or None,
            cursor=own.get("cursor") or None,
            limit=_limit(own.get("limit")),
            include_total=_flag("include_total", own.get("include_total")),
            scope=scope,
            cursors=cursors or Cursors(),
        )


def _limit(raw: str | None) -> int:
    if raw is None:
        return DEFAULT_LIMIT
    if not re.fullmatch(r"\d{1,3}", raw, re.ASCII) or not 1 <= int(raw) <= MAX_LIMIT:
        raise UnfitLimit(parameter="limit", value=raw, most=MAX_LIMIT)
    return int(raw)


def _flag(name: str, raw: str | None) -> bool:
    try:
        return raw is not None and read_bool(raw)
    except Unreadable:
        raise UnfitValue(parameter=name, value=raw, kind="bool", accepted=("true", "false")) from None
