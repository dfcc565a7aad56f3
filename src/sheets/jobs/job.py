"""What is known of an import that was asked for, and how it ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from sheets.importing import Report
from sheets.mapping.remarks import Remark
from sheets.reading import Refusal

Digest = bytes
State = Literal["queued", "running", "done", "failed", "cancelled"]
Ended = Literal[
    "import-unreadable",
    "import-broken-off",
    "import-failed",
    "import-member-inactive",
    "import-not-permitted",
    "import-token-ended",
]
"""Why an import has failed: its files cannot be read, its worker ended too often, a mistake of ours, or the member who
asked for it is suspended or removed, lacks a permission by now, or used a token that has ended since."""


@dataclass(frozen=True)
class Order:
    """A request for an import: what to import, and who asks, with the limits of the token that was used."""

    profile: str
    is_rehearsal: bool
    encoding: str | None
    asked_by: str
    member_id: UUID | None = None
    only_roles: frozenset[str] | None = None
    token_digest: Digest | None = None


@dataclass(frozen=True)
class Job:
    """An import that was asked for. One whose worker has fallen silent counts as queued: the next worker goes on."""

    job_id: UUID
    profile: str
    is_rehearsal: bool
    encoding: str | None
    files: list[str]
    bytes: int
    asked_by: str
    member_id: UUID | None
    only_roles: list[str] | None
    token_digest: Digest | None
    state: State
    cancel_requested: bool
    error: Ended | None
    attempts: int
    rows_done: int
    rows_total: int | None
    batch_id: UUID | None
    position: int | None
    refused_rows: int | None
    counts: list[dict[str, Any]] | None
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    read_at: datetime

    @property
    def is_over(self) -> bool:
        """Nothing more happens to it."""
        return self.state in ("done", "failed", "cancelled")

    @property
    def rows_per_second(self) -> int | None:
        """How fast it goes, or went."""
        if self.started_at is None or not self.rows_done:
            return None
        seconds = ((self.finished_at or self.read_at) - self.started_at).total_seconds()
        return int(self.rows_done / seconds) if seconds > 0 else None

    @property
    def seconds_left(self) -> int | None:
        """How long it will probably take still."""
        rate = self.rows_per_second
        if self.state != "running" or self.rows_total is None or not rate:
            return None
        return -(-(self.rows_total - self.rows_done) // rate)


class Outcome(msgspec.Struct, frozen=True):
    """The rows that an import has to tell about; it is kept encrypted, since cells may be about people."""

    refusals: tuple[Refusal, ...] = ()
    changed: tuple[Refusal, ...] = ()
    remarks: tuple[Remark, ...] = ()

    @classmethod
    def of(cls, report: Report) -> Outcome:
        """What a finished import tells."""
        return cls(report.refusals, report.changed, report.remarks)
