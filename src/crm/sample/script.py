"""The script of a year: what was done, when, by whom, with ids and chances that a seed decides."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any, TypeVar
from uuid import UUID

from commands.base import Command

T = TypeVar("T")
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Deed:
    """One thing done: the command, what it is done to, the id of what it makes, and the member who did it."""

    at: datetime
    command: Command
    to: UUID | None = None
    makes: UUID | None = None
    by: UUID | None = None


@dataclass
class Script:
    """Collects deeds up to the day before `today`, in whatever order they come to mind."""

    chance: random.Random
    today: date
    zone: tzinfo
    deeds: list[Deed] = field(default_factory=list)
    _picked: dict[UUID, list[Any]] = field(default_factory=dict, repr=False)

    def do(
        self,
        at: datetime,
        command: Command,
        *,
        to: UUID | None = None,
        makes: UUID | None = None,
        by: UUID | None = None,
    ) -> None:
        """Add a deed."""
        self.deeds.append(Deed(at, command, to, makes, by))

    def in_order(self) -> list[Deed]:
        """All deeds as they happened one after another; what was done at one moment stays in the order of telling."""
        return sorted(self.deeds, key=lambda deed: deed.at)

    def new_id(self, at: datetime) -> UUID:
        """An id that sorts by the moment (UUIDv7), with chance for the rest of it."""
        milliseconds, rest = int(at.timestamp() * 1000), self.chance.getrandbits(74)
        value = milliseconds << 80 | 7 << 76 | (rest >> 62) << 64 | 2 << 62 | rest & (1 << 62) - 1
        return UUID(int=value)

    def working_day(self, day: date) -> date:
        """The day itself, or the Friday before when it is a weekend."""
        return day - DAY * max(0, day.weekday() - 4)

    def moment(self, day: date) -> datetime:
        """Some moment in the working hours of a day."""
        minute = self.chance.randrange(9 * 60, 18 * 60)
        return datetime.combine(day, time(minute // 60, minute % 60), self.zone)

    def is_over(self, day: date) -> bool:
        """Whether the day lies before today, so that what was done on it may be told."""
        return day < self.today

    def maybe(self, share: float) -> bool:
        """True in this share of cases."""
        return self.chance.random() < share

    def pick(self, options: Sequence[T]) -> T:
        """One of them."""
        return self.chance.choice(options)

    def fresh(self, whose: UUID, options: Sequence[T]) -> T:
        """One of them that was not picked for this one lately."""
        lately = self._picked.setdefault(whose, [])
        chosen = self.pick([each for each in options if each not in lately] or options)
        lately.append(chosen)
        del lately[:-3]
        return chosen

    def days(self, least: int, most: int) -> timedelta:
        """So many days, both bounds included."""
        return DAY * self.chance.randint(least, most)


def given(**fields: Any) -> dict[str, Any]:
    """The fields that say something."""
    return {name: value for name, value in fields.items() if value is not None}
