"""The workspace: the settings that rules and reports read, as recorded events and not as environment."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Self
from zoneinfo import ZoneInfo

from eventsourcing.domain import CanMutateAggregate
from eventsourcing.utils import get_topic

from aggregates.base import Aggregate, Created
from aggregates.ids import named

WORKSPACE_ID = named("workspace", "only")


@dataclass(frozen=True)
class Settings:
    """In which time zone days begin, the usual currency, and how customers are numbered."""

    time_zone: str = "Asia/Shanghai"
    currency: str = "CNY"
    code_prefix: str = "C"
    code_width: int = 3

    @property
    def zone(self) -> ZoneInfo:
        """The business time zone."""
        return ZoneInfo(self.time_zone)

    def customer_code(self, month: str, serial: int) -> str:
        """The code of the serial-th customer of a month (YYYYMM); past the width it gets longer (CUS-8)."""
        return f"{self.code_prefix}{month}{serial:0{self.code_width}}"


DEFAULT_SETTINGS = Settings()


class Workspace(Aggregate):
    """The one set of settings; the defaults hold until its first event."""

    TOPIC = "workspace"

    class Configured(Created):
        """The settings are these, all of them, from now on; the first time it also makes the workspace."""

        TOPIC = "workspace.configured"
        time_zone: str = "Asia/Shanghai"
        currency: str = "CNY"
        code_prefix: str = "C"
        code_width: int = 3

        def mutate(self, aggregate: Any) -> Any:
            """Make the workspace, or change the one there is."""
            if aggregate is None:
                return super().mutate(None)
            return CanMutateAggregate.mutate(self, aggregate)

        def apply(self, aggregate: Any) -> None:
            """These are the settings now."""
            aggregate.settings = Settings(self.time_zone, self.currency, self.code_prefix, self.code_width)

    @classmethod
    def configured(cls, **given: Any) -> Self:
        """Make the workspace, with the settings that are given and the defaults for the others."""
        settings = replace(DEFAULT_SETTINGS, **given)
        return cls.begin(cls.Configured, id=WORKSPACE_ID, customer_id=None, **asdict(settings))

    def __init__(self) -> None:
        self.settings = DEFAULT_SETTINGS

    def configure(self, **given: Any) -> None:
        """Change the settings that are given and differ; the others stay."""
        settings = replace(self.settings, **given)
        if settings != self.settings:
            topic = get_topic(type(self))
            self.trigger_event(self.Configured, originator_topic=topic, **asdict(settings))
