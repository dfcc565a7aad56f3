"""Whoever wants to know which commands are done, and how each of them ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol
from uuid import UUID


class Doing:
    """A command that is being done: its action, and the id that its events carry."""

    __slots__ = ("action", "command_id", "replayed")

    def __init__(self, action: str) -> None:
        self.action = action
        self.command_id: UUID | None = None
        self.replayed = False


class Watcher(Protocol):
    """Is told when a command begins, and how it ended."""

    def began(self, doing: Doing) -> None:
        """It is about to be decided."""

    def ended(self, doing: Doing, error: BaseException | None) -> None:
        """It was written, or stopped by an error."""


watchers: ContextVar[tuple[Watcher, ...]] = ContextVar("watchers", default=())
"""Who watches the commands that are done here."""


@contextmanager
def watched(action: str) -> Iterator[Doing]:
    """Do a command in the block, seen by whoever watches."""
    doing, watching = Doing(action), watchers.get()
    for watcher in watching:
        watcher.began(doing)
    try:
        yield doing
    except BaseException as error:
        for watcher in watching:
            watcher.ended(doing, error)
        raise
    for watcher in watching:
        watcher.ended(doing, None)
