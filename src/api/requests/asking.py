"""What a read may be asked with: each parameter is declared once, and is read, refused and documented from there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from urllib.parse import unquote_to_bytes
from uuid import UUID

from starlette.requests import Request

from aggregates.registry import event_classes
from api.answers.problems import FieldFault, Place, invalid, shortened
from api.answers.refusals import query_fault
from api.texts import DEFAULT_LANGUAGE, Language, preferred
from policy import NOBODY, Actor, Sight
from projections.engine.lists.cursor import Cursors, ForeignCursor
from projections.engine.lists.listing import MAX_SORTS, Listing
from projections.engine.lists.query import MAX_LIMIT, Query
from projections.engine.lists.refused import QueryRefused
from projections.engine.lists.values import Kind, Unreadable, read_bool, read_value

_SCHEMAS: dict[str, dict[str, Any]] = {
    "text": {"type": "string", "maxLength": 500},
    "number": {"type": "integer"},
    "decimal": {"type": "string", "format": "decimal"},
    "date": {"type": "string", "format": "date"},
    "instant": {"type": "string", "format": "date-time"},
    "uuid": {"type": "string", "format": "uuid"},
    "bool": {"type": "boolean"},
}


@dataclass(frozen=True)
class Parameter:
    """One parameter of a query string; with `choices`, one of them, and `many` of them with commas between.

    `unknown` is the code of the fault that something else than a choice is.
    """

    name: str
    kind: Kind
    says: str
    example: Any = None
    choices: tuple[str, ...] = ()
    unknown: str = "unknown-choice"
    many: bool = False
    least: int = 0
    most: int = 2**62
    place: Place = "query"
    required: bool = False

    def read(self, raw: str) -> Any:
        """The value; raises Problem 422 that names the parameter and what is accepted."""
        if self.many:
            return tuple(self._one(part) for part in raw.split(",") if part)
        return self._one(raw)

    def _one(self, raw: str) -> Any:
        if self.choices:
            if raw not in self.choices:
                raise invalid(self._fault(self.unknown, accepted=self.choices))
            return raw
        try:
            value = read_bool(raw) if self.kind == "bool" else read_value(self.kind, raw)
        except Unreadable:
            raise invalid(self._fault("unfit-value", kind=self.kind)) from None
        if self.kind == "number" and not self.least <= value <= self.most:
            raise invalid(self._fault("unfit-number", least=self.least, most=self.most))
        return value

    def _fault(self, code: str, **values: Any) -> FieldFault:
        return FieldFault(self.place, f"/{self.name}", code, values)

    @property
    def openapi(self) -> dict[str, Any]:
        """How the OpenAPI document shows it."""
        schema = dict(_SCHEMAS.get(self.kind, {"type": "string"}))
        if self.choices:
            schema = {"type": "string", "enum": list(self.choices)}
        if self.kind == "number":
            schema |= {"minimum": self.least, "maximum": self.most}
        required = self.required or self.place == "path"
        shown = {"name": self.name, "in": self.place, "required": required, "description": self.says}
        shown |= _several(schema) if self.many else {"schema": schema}
        return shown if self.example is None else shown | {"example": self.example}


ON = Parameter("on", "date", "The business day asked about; today, or the day of `as_of`, when left out.", "2026-01-31")
AS_OF = Parameter("as_of", "instant", "What was known at this moment; not in the future.", "2026-01-31T09:30:00+08:00")
AFTER = Parameter(
    "after", "number", "Wait (a few seconds at most) until this position, from a command's answer, is visible.", 1024
)
MOMENT = (ON, AS_OF, AFTER)
TOPIC = Parameter(
    "topic",
    "enum",
    "Only these topics, with commas between.",
    "customer.follow-up-logged",
    choices=tuple(sorted(event_classes())),
    unknown="unknown-topic",
    many=True,
)
ID = Parameter("id", "uuid", "The id.", "0192f0c1-7d5a-7cc3-a1b2-0123456789ab", place="path")


def grouped_by(dimensions: Iterable[str], example: str) -> Parameter:
    """The parameter that names what a report is grouped by."""
    says = "Group by these, with commas between; the currency always belongs to the key."
    return Parameter("by", "enum", says, example, choices=tuple(sorted(dimensions)), many=True)


UNKNOWN = Actor("", None, "", "api")
UNSEEING = Sight(NOBODY, NOBODY)


@dataclass(frozen=True)
class Asked:
    """What one read was asked: its parameters as typed values, and the list query where there is a list.

    `actor` is who asks, and `sight` what that one may see: nothing, until the policy was asked. `may_wait` is whether
    the thread that reads may wait for a read model that is not far enough yet.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    query: Query = field(default_factory=Query)
    language: Language = DEFAULT_LANGUAGE
    actor: Actor = UNKNOWN
    sight: Sight = UNSEEING
    may_wait: bool = True

    @property
    def on(self) -> date | None:
        """The business day asked about."""
        return self.values.get("on")

    @property
    def as_of(self) -> datetime | None:
        """The moment of knowledge asked about."""
        return self.values.get("as_of")

    @property
    def after(self) -> int | None:
        """The position that must be visible."""
        return self.values.get("after")

    @property
    def id(self) -> UUID:
        """The id in the path."""
        found: UUID = self.values["id"]
        return found

    def beyond(self, cursors: Cursors, question: bytes) -> Any:
        """Where the page before ended, for lists that go by one value; None for the first. Raises Problem 422."""
        cursor = self.values.get("cursor")
        if cursor is None:
            return None
        try:
            return cursors.read(cursor, question)[0]
        except ForeignCursor:
            raise invalid(FieldFault("query", "/cursor", "unfit-cursor")) from None

    def require(self, takes: Iterable[Parameter]) -> None:
        """Everything is given that must be. Raises Problem 422."""
        if missing := [item.name for item in takes if item.required and item.name not in self.values]:
            raise invalid(*(FieldFault("query", f"/{name}", "missing") for name in missing))

    def get(self, name: str, default: Any = None) -> Any:
        """Any other parameter."""
        return self.values.get(name, default)


def ask(
    request: Request, takes: Sequence[Parameter], listing: Listing | None, secret: bytes, actor: Actor = UNKNOWN
) -> Asked:
    """Reads and checks everything in the path and the query string; raises Problem 422.

    The cursors of a list lead on only for the same `actor`.
    """
    _require_utf8(request.scope["query_string"])
    pairs = request.query_params.multi_items()
    by_name = {parameter.name: parameter for parameter in takes if parameter.place == "query"}
    values = {item.name: item.read(str(request.path_params[item.name])) for item in takes if item.place == "path"}
    for name, raw in pairs:
        if name in by_name:
            if name in values:
                raise invalid(FieldFault("query", f"/{name}", "repeated-parameter"))
            values[name] = by_name[name].read(raw)
        elif listing is None:
            raise invalid(FieldFault("query", f"/{shortened(name)}", "unknown-parameter", {"accepted": tuple(by_name)}))
    language = preferred(request.headers.get("accept-language"))
    if listing is None:
        return Asked(values, language=language, actor=actor)
    scope = "&".join(f"{name}={values[name]}" for name in sorted(values) if name != "after")
    try:
        query = Query.parse(
            pairs, also=tuple(by_name), scope=f"{actor.id} {request.url.path}?{scope}", cursors=Cursors(secret)
        )
        listing.check(query)
    except QueryRefused as refused:
        raise invalid(query_fault(refused)) from None
    return Asked(values, query, language, actor)


def _require_utf8(query: bytes) -> None:
    """Signs in another encoding would be searched for as question marks."""
    for pair in query.split(b"&") if b"%" in query else ():
        try:
            unquote_to_bytes(pair).decode("utf-8")
        except UnicodeDecodeError:
            name = unquote_to_bytes(pair.partition(b"=")[0]).decode("utf-8", "replace")
            raise invalid(FieldFault("query", f"/{shortened(name)}", "not-utf8")) from None


def listing_parameters(listing: Listing) -> Iterable[dict[str, Any]]:
    """How the OpenAPI document shows a list's filters, sorts and pages."""
    for name, column in listing.columns.items():
        for op in column.accepted_ops:
            schema = dict(_SCHEMAS.get(column.kind, {"type": "string"}))
            if column.choices:
                schema = {"type": "string", "enum": list(column.choices)}
            if op == "isnull":
                schema = {"type": "boolean"}
            shown = _several(schema) if op == "in" else {"schema": schema}
            yield {"name": f"{name}[{op}]", "in": "query", "required": False, **shown}
    sorts = sorted(name for name, column in listing.columns.items() if column.sortable)
    says = "Up to 4 of these with commas between, `-` before one for descending."
    shown = _several({"type": "string", "enum": [f"{sign}{name}" for name in sorts for sign in ("", "-")]})
    shown["schema"] |= {"maxItems": MAX_SORTS}
    yield _own("sort", shown, says, listing.default_sort or listing.tie_break)
    if listing.search:
        shown = {"schema": {"type": "string", "maxLength": 200}}
        yield _own("q", shown, "Search for a part of what the list shows.", "云")
    shown = {"schema": {"type": "string"}}
    yield _own("cursor", shown, "`next` of the page before, with everything else the same.", None)
    shown = {"schema": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": 50}}
    yield _own("limit", shown, "Rows a page.", 50)
    yield _own("include_total", {"schema": {"type": "boolean", "default": False}}, "Also count all rows.", None)


def _own(name: str, shown: dict[str, Any], says: str, example: Any) -> dict[str, Any]:
    shown = {"name": name, "in": "query", "required": False, "description": says, **shown}
    return shown if example is None else shown | {"example": example}


def _several(schema: dict[str, Any]) -> dict[str, Any]:
    """Values with commas between."""
    return {"style": "form", "explode": False, "schema": {"type": "array", "items": schema, "minItems": 1}}
