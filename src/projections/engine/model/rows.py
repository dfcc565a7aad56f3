"""The rows of one table as a fold sees them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any, Generic, TypeVar

from msgspec import Struct

R = TypeVar("R", bound=Struct)


class DuplicateRow(ValueError):
    """A fold added a row whose key is taken."""


class Rows(Generic[R]):
    """Rows by key, all of them in memory.

    The key is the value of the key column, or a tuple of values where the key has several columns.
    """

    def __init__(self, name: str, key: tuple[str, ...]) -> None:
        self.name = name
        self.key_of: Callable[[R], Any] = attrgetter(*key)
        self._composite = len(key) > 1
        self._rows: dict[Any, R] = {}
        self._keys_by_first: dict[Any, list[Any]] = {}

    def __getitem__(self, key: Any) -> R:
        """The row of that key; KeyError when there is none."""
        return self._rows[key]

    def get(self, key: Any) -> R | None:
        """The row of that key, or nothing."""
        return self._rows.get(key)

    def __contains__(self, key: Any) -> bool:
        return self.get(key) is not None

    def of(self, first: Any) -> list[R]:
        """The rows whose key begins with that value, in the order of their keys."""
        if not self._composite:
            row = self.get(first)
            return [] if row is None else [row]
        return [self._rows[key] for key in sorted(self._keys_by_first.get(first, ()))]

    def add(self, row: R) -> None:
        """Put in a new row; DuplicateRow when its key is taken."""
        key = self.key_of(row)
        if key in self:
            raise DuplicateRow(f"{self.name} has a row {key} already")
        self._put(key, row)

    def remove(self, key: Any) -> None:
        """Take the row of that key out; KeyError when there is none."""
        self[key]
        self._drop(key)

    def __iter__(self) -> Iterator[R]:
        """The rows at hand, in no particular order: for tests and for the engine, never for a fold."""
        return iter(self._rows.values())

    def __len__(self) -> int:
        return len(self._rows)

    def _put(self, key: Any, row: R) -> None:
        self._rows[key] = row
        if self._composite:
            self._keys_by_first.setdefault(key[0], []).append(key)

    def _drop(self, key: Any) -> None:
        del self._rows[key]
        if self._composite:
            self._keys_by_first[key[0]].remove(key)

    def changed(self) -> list[R]:
        """The rows that have to be written."""
        return list(self)

    def removed(self) -> list[Any]:
        """The keys of the rows that have to be deleted."""
        return []

    def drained(self) -> Iterator[R]:
        """The rows that have to be written, each forgotten as soon as it is given."""
        self._keys_by_first.clear()
        while self._rows:
            yield self._rows.popitem()[1]

    def written(self) -> None:
        """What had to be written was written."""
        self.clear()

    def clear(self) -> None:
        """Forget all rows at hand."""
        self._rows.clear()
        self._keys_by_first.clear()


class IdRows(Rows[R]):
    """Rows by one id, kept by its number: an int is hashed at once, a UUID by a function written in Python."""

    def __getitem__(self, key: Any) -> R:
        try:
            return self._rows[key.int]
        except (KeyError, AttributeError):
            raise KeyError(key) from None

    def get(self, key: Any) -> R | None:
        """The row of that id, or nothing."""
        return None if key is None else self._rows.get(key.int)

    def add(self, row: R) -> None:
        """Put in a new row; DuplicateRow when its id is taken."""
        key = self.key_of(row)
        number = key.int
        if number in self._rows:
            raise DuplicateRow(f"{self.name} has a row {key} already")
        self._rows[number] = row

    def _put(self, key: Any, row: R) -> None:
        self._rows[key.int] = row

    def _drop(self, key: Any) -> None:
        del self._rows[key.int]


class AppendedRows(Rows[R]):
    """Rows that are only ever added, and are forgotten as soon as they are written."""

    def __init__(self, name: str, key: tuple[str, ...]) -> None:
        super().__init__(name, key)
        self.added: list[R] = []

    def add(self, row: R) -> None:
        """Put in a new row; a taken key shows when it is written."""
        self.added.append(row)

    def __getitem__(self, key: Any) -> R:
        raise AppendOnly(f"{self.name} is append-only: a fold cannot read it")

    def get(self, key: Any) -> R | None:
        """Not possible here."""
        return self[key]

    def of(self, first: Any) -> list[R]:
        """Not possible here."""
        return [self[first]]

    def __iter__(self) -> Iterator[R]:
        return iter(self.added)

    def drained(self) -> Iterator[R]:
        """The rows that have to be written."""
        return iter(self.added)

    def __len__(self) -> int:
        return len(self.added)

    def clear(self) -> None:
        """Forget all rows at hand."""
        self.added.clear()


class AppendOnly(TypeError):
    """A fold tried to read or change a table that it may only add to."""
