"""How a read model is declared: its tables, and what each event does to their rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Generic, Literal, TypeVar, overload

from eventsourcing.utils import get_topic

from aggregates.base import Event
from projections.engine.model.columns import Column, columns_of
from projections.engine.model.rows import AppendedRows, IdRows, R, Rows

Handler = TypeVar("Handler", bound=Callable[..., None])
SeenBy = Literal["customer_id", "opportunity_id"]
"""The column by which a row belongs to somebody."""
_FOLDS = "_folds_topics"
_EVERY = "_folds_every_event"


class Table(Generic[R]):
    """A table of a projection: its row class, its key and its indexes."""

    def __init__(
        self,
        name: str,
        row_class: type[R],
        key: tuple[str, ...],
        indexes: tuple[str, ...],
        shared: bool,
        append_only: bool,
        seen_by: SeenBy | None = None,
        masked: tuple[str, ...] = (),
        hidden: tuple[str, ...] = (),
    ) -> None:
        self.name = name
        self.seen_by = seen_by
        self.masked = masked
        self.hidden = hidden
        self.row_class = row_class
        self.key = key
        self.indexes = indexes
        self.shared = shared
        self.append_only = append_only
        self.columns: tuple[Column, ...] = columns_of(row_class)
        self.column_names = tuple(column.name for column in self.columns)
        unknown = {*key, *masked, *hidden, *((seen_by,) if seen_by else ())} - set(self.column_names)
        if unknown or not key:
            raise ValueError(f"{name}: {row_class.__name__} has no column {', '.join(sorted(unknown))}")

    @property
    def is_keyed_by_id(self) -> bool:
        """Whether one UUID tells its rows apart."""
        return len(self.key) == 1 and self.columns[self.column_names.index(self.key[0])].sql_type == "uuid"

    def __set_name__(self, owner: type, attribute: str) -> None:
        self.attribute = attribute

    @overload
    def __get__(self, instance: None, owner: type) -> Table[R]: ...
    @overload
    def __get__(self, instance: Projection, owner: type) -> Rows[R]: ...
    def __get__(self, instance: Projection | None, owner: type) -> Table[R] | Rows[R]:
        """The table itself on the class; its rows on an instance (found there first, without coming here)."""
        if instance is None:
            return self
        raise AttributeError(f"{self.name} has no rows yet")

    def in_memory(self) -> Rows[R]:
        """No rows yet, to be kept in memory."""
        return (IdRows if self.is_keyed_by_id else Rows)(self.name, self.key)

    def appended(self) -> AppendedRows[R]:
        """No rows yet, to be written and forgotten."""
        return AppendedRows(self.name, self.key)


def table(
    name: str,
    row_class: type[R],
    *,
    key: str | tuple[str, ...],
    indexes: Iterable[str] = (),
    shared: bool = False,
    append_only: bool = False,
    seen_by: SeenBy | None = None,
    masked: Iterable[str] = (),
    hidden: Iterable[str] = (),
) -> Table[R]:
    """Declare a table.

    `indexes` are what stands after `CREATE INDEX ON table`: either columns ("owner_id, customer_id") or everything
    from USING on ("USING gin (name public.gin_trgm_ops)"), operator classes with their schema. `shared` rows come only
    from events without a customer and may be read by every fold. `append_only` tables are only added to.
    `seen_by` is the column that says whose a row is, where not everybody sees all of them; `masked` columns are shown
    with their middle hidden, and `hidden` ones (of lines) empty but for a line that is asked for as a whole, to those
    who may not see the customer's contact details.
    Columns of personal data are `str | None`: they may be given the sealed value, and are empty where it is erased.
    """
    keys = (key,) if isinstance(key, str) else key
    return Table(name, row_class, keys, tuple(indexes), shared, append_only, seen_by, tuple(masked), tuple(hidden))


def folds(*event_classes: type[Event]) -> Callable[[Handler], Handler]:
    """Marks the method that is given each event of these classes."""
    topics = tuple(get_topic(event_class) for event_class in event_classes)

    def mark(handler: Handler) -> Handler:
        setattr(handler, _FOLDS, topics)
        return handler

    return mark


def folds_every(handler: Handler) -> Handler:
    """Marks the one method that is given every event, after the method of its class."""
    setattr(handler, _EVERY, True)
    return handler


class Projection:
    """A read model: rows, and how events change them.

    A fold knows no clock, no randomness and no floats. It may read and change the rows of the event's own customer and
    aggregate, and read shared tables; an event without a customer changes shared tables, or adds to append-only ones.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    tables: ClassVar[Mapping[str, Table[Any]]] = MappingProxyType({})
    topics: ClassVar[frozenset[str]] = frozenset()
    every: ClassVar[str | None] = None
    _handlers: ClassVar[Mapping[str, str]] = MappingProxyType({})

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.tables = MappingProxyType(dict(cls.tables) | _tables_of(cls))
        cls._handlers = MappingProxyType(dict(cls._handlers) | _handlers_of(cls))
        cls.topics = frozenset(cls._handlers)
        cls.every = next((name for name, value in vars(cls).items() if hasattr(value, _EVERY)), cls.every)

    def __init__(self, rows_of: Callable[[Table[Any]], Rows[Any]] = Table.in_memory) -> None:
        self.rows: dict[str, Rows[Any]] = {}
        for attribute, declared in self.tables.items():
            rows = rows_of(declared)
            self.rows[declared.name] = rows
            self.__dict__[attribute] = rows
        self.handlers: dict[str, Callable[[Any], None]] = {
            topic: getattr(self, method) for topic, method in self._handlers.items()
        }
        self.handle_every: Callable[[Any], None] | None = getattr(self, self.every) if self.every else None

    @classmethod
    def topics_read(cls) -> frozenset[str] | None:
        """The topics it has to be given; None for all of them."""
        return None if cls.every else cls.topics

    @classmethod
    def is_append_only(cls) -> bool:
        """Whether an earlier state is simply the rows up to a position."""
        return all(declared.append_only for declared in cls.tables.values())

    def handle(self, event: Any) -> None:
        """Let one event change the rows."""
        handler = self.handlers.get(event.topic)
        if handler is not None:
            handler(event)
        if self.handle_every is not None:
            self.handle_every(event)


def _tables_of(cls: type[Projection]) -> dict[str, Table[Any]]:
    return {name: value for name, value in vars(cls).items() if isinstance(value, Table)}


def _handlers_of(cls: type[Projection]) -> dict[str, str]:
    handlers: dict[str, str] = {}
    for method, value in vars(cls).items():
        for topic in getattr(value, _FOLDS, ()):
            if topic in handlers:
                raise TypeError(f"{cls.__name__} folds {topic} twice: {handlers[topic]} and {method}")
            handlers[topic] = method
    return handlers
