"""What can go wrong in the engine."""

from __future__ import annotations

from typing import Any
from uuid import UUID


class Undigested(Exception):
    """A fold could not take an event; the projection stops here."""

    def __init__(self, projection: str, position: int, topic: str, aggregate: UUID, error: str) -> None:
        super().__init__(projection, position, topic, aggregate, error)
        self.projection = projection
        self.position = position
        self.topic = topic
        self.aggregate = aggregate
        self.error = error

    @classmethod
    def of(cls, projection: str, event: Any, error: BaseException) -> Undigested:
        """What happened with this event."""
        return cls(projection, event.position, event.topic, event.originator_id, f"{type(error).__name__}: {error}")

    @property
    def told(self) -> str:
        """The same for the log: without what the error says, since that may repeat somebody's name."""
        kind = self.error.partition(":")[0]
        return f"cannot digest event {self.position} ({self.topic} of {self.aggregate}): {kind}"

    def __str__(self) -> str:
        return f"{self.projection} cannot digest event {self.position} ({self.topic} of {self.aggregate}): {self.error}"


class Overtaken(Exception):
    """Another runner has moved this build on; nothing of this batch was written."""


class Cancelled(Exception):
    """Somebody cancelled the job."""


class Stopping(Exception):
    """The worker is about to end; what it was doing is for another one."""


class NotBuilt(Exception):
    """The read model is not there yet, or not as far as was asked for in the time given."""

    def __init__(self, projection: str, position: int | None, wanted: int | None) -> None:
        super().__init__(projection, position, wanted)
        self.projection = projection
        self.position = position
        self.wanted = wanted


class StillBuilding(Exception):
    """A copy as of that position is being built; ask again, or follow the job."""

    def __init__(self, projection: str, job_id: UUID) -> None:
        super().__init__(projection, job_id)
        self.projection = projection
        self.job_id = job_id


class BuildFailed(Exception):
    """The job that was to build a copy has failed; its error says why."""

    def __init__(self, projection: str, job_id: UUID, error: str) -> None:
        super().__init__(projection, job_id, error)
        self.projection = projection
        self.job_id = job_id
        self.error = error
