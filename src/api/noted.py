"""What is noted about a request while it is answered: for its line in the log, for the figures and for traces."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from starlette.types import Scope

from commands.watching import Doing

SANE = re.compile(rb"[A-Za-z0-9._-]{8,64}")
"""A request id that is taken over: long enough to mean something, and nothing that a log could trip over."""
_KEY = "genjin.noted"


@dataclass(slots=True)
class Noted:
    """One request: its id, who asks, the code of its refusal, and each command that it did, with its id.

    No names, no texts and no addresses: none of this is personal data by itself.
    """

    id: str
    actor: str | None = None
    refusal: str | None = None
    commands: list[tuple[str, str, UUID | None]] = field(default_factory=list)
    """Action, outcome, and the id that the events carry where there are any."""


def begin(scope: Scope) -> Noted:
    """Take note of a request, under the id it comes with where that is a sane one, else under a new one."""
    given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
    noted = Noted(given.decode() if SANE.fullmatch(given) else secrets.token_hex(8))
    scope[_KEY] = noted
    return noted


def note_actor(scope: Any, actor: str) -> None:
    """It is known who asks."""
    if (noted := scope.get(_KEY)) is not None:
        noted.actor = actor


def note_refusal(scope: Any, code: str) -> None:
    """The answer is a problem."""
    if (noted := scope.get(_KEY)) is not None:
        noted.refusal = code


def id_in(scope: Any) -> str | None:
    """The request's id; none where nothing is noted."""
    noted: Noted | None = scope.get(_KEY)
    return None if noted is None else noted.id


class Commands:
    """Notes the commands that a request does; one that was answered from memory carries no id of its own."""

    def __init__(self, noted: Noted) -> None:
        self._noted = noted

    def began(self, doing: Doing) -> None:
        """Nothing is to be noted yet."""

    def ended(self, doing: Doing, error: BaseException | None) -> None:
        """Note how it ended."""
        if error is None:
            outcome = "repeated" if doing.replayed else "done"
        else:
            outcome = getattr(error, "code", None) or "failed"
        written = error is None and not doing.replayed
        self._noted.commands.append((doing.action, outcome, doing.command_id if written else None))
