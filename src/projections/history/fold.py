"""How the history is written: one row an event, whatever the event."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from msgspec.json import encode

from aggregates.member import Member
from aggregates.pipeline import Pipeline, Stage
from aggregates.product import Product
from aggregates.team import Team
from aggregates.workspace import WORKSPACE_ID, Settings, Workspace
from projections.dimensions import day_of
from projections.engine import Projection, folds, folds_every, table
from projections.history.fields import Plan, plan
from projections.history.rows import (
    EventRow,
    LatestRow,
    MemberRow,
    ProductRow,
    SettingsRow,
    StageRow,
    TeamRow,
)

ENTRIES = "entries"
"""In the latest positions of an opportunity: how many stages it has entered since it was opened."""


class History(Projection):
    """Everything that ever happened, who did it, and what it was before."""

    name, version = "history", 1

    events = table(
        "events",
        EventRow,
        key="position",
        append_only=True,
        seen_by="customer_id",
        indexes=(
            "customer_id, position",
            "originator_id WHERE version = 1",
            "actor, position",
            "topic, position",
        ),
    )
    latest = table("latest", LatestRow, key="subject_id")
    members = table("members", MemberRow, key="member_id", shared=True)
    teams = table("teams", TeamRow, key="team_id", shared=True)
    products = table("products", ProductRow, key="product_id", shared=True)
    stages = table("stages", StageRow, key=("pipeline_id", "key"), shared=True)
    settings = table("settings", SettingsRow, key="settings_id", shared=True)
    shared_latest = table("shared_latest", LatestRow, key="subject_id", shared=True)

    @classmethod
    def is_append_only(cls) -> bool:
        """An earlier moment saw the rows up to its position; the other tables only say what things are called."""
        return True

    @folds(Member.Registered)
    def member_registered(self, event: Member.Registered) -> None:
        """Somebody who may act and own."""
        self.members.add(MemberRow(event.originator_id, event.name))

    @folds(Member.Renamed)
    def member_renamed(self, event: Member.Renamed) -> None:
        """Sentences show the present name."""
        self.members[event.originator_id].name = event.name

    @folds(Member.Erased)
    def member_erased(self, event: Member.Erased) -> None:
        """Sentences say that the name was erased."""
        self.members[event.originator_id].name = None

    @folds(Team.Formed)
    def team_formed(self, event: Team.Formed) -> None:
        """A team that members may join."""
        self.teams.add(TeamRow(event.originator_id, event.name))

    @folds(Team.Renamed)
    def team_renamed(self, event: Team.Renamed) -> None:
        """Sentences show the present name."""
        self.teams[event.originator_id].name = event.name

    @folds(Product.Added)
    def product_added(self, event: Product.Added) -> None:
        """A product that may be sold."""
        self.products.add(ProductRow(event.originator_id, event.name))

    @folds(Product.Revised)
    def product_revised(self, event: Product.Revised) -> None:
        """Sentences show the present name."""
        if "name" in event.changed and event.name is not None:
            self.products[event.originator_id].name = event.name

    @folds(Pipeline.Defined, Pipeline.StagesRevised)
    def stages_defined(self, event: Pipeline.Defined | Pipeline.StagesRevised) -> None:
        """Stages are called by their present names, those no longer used by their last ones."""
        for stage in event.stages:
            self._name_stage(event.originator_id, stage)

    @folds(Workspace.Configured)
    def configured(self, event: Workspace.Configured) -> None:
        """The business time zone says on which day an undated fact counts."""
        row = self.settings.get(event.originator_id)
        if row is None:
            self.settings.add(SettingsRow(event.originator_id, event.time_zone))
        else:
            row.time_zone = event.time_zone

    @folds_every
    def happened(self, event: Any) -> None:
        """Write it down."""
        known = plan(event.topic)
        sealed = getattr(event, "sealed", None)
        body = {name: value for name in known.clear if (value := getattr(event, name)) is not None}
        imported = event.imported
        if imported is not None:
            body["imported"] = imported
        before = None if event.originator_version == 1 else self._before(event, known)
        self.events.add(
            EventRow(
                event.position,
                event.customer_id,
                event.originator_id,
                event.originator_version,
                event.topic,
                event.recorded_at,
                self._day(event, known),
                event.actor,
                event.source,
                event.command_id,
                event.reason,
                encode(body),
                encode(before) if before else None,
                None if sealed is None else getattr(event, known.subject),
                sealed,
            )
        )

    def _name_stage(self, pipeline_id: UUID, stage: Stage) -> None:
        row = self.stages.get((pipeline_id, stage.key))
        if row is None:
            self.stages.add(StageRow(pipeline_id, stage.key, stage.zh, stage.en))
        else:
            row.zh, row.en = stage.zh, stage.en

    def _day(self, event: Any, known: Plan) -> date:
        """The day of the business fact; one without a date counts from the day it was recorded."""
        own = None if known.day is None else getattr(event, known.day)
        if own is None:
            own = event.recorded_at
        if not isinstance(own, datetime):
            return own  # type: ignore[no-any-return]
        settings = self.settings.get(WORKSPACE_ID)
        return day_of(own, DEFAULT_TIME_ZONE if settings is None else settings.time_zone)

    def _before(self, event: Any, known: Plan) -> dict[str, int] | None:
        """Where the fields got their former values; from now on they have the values of this event."""
        changes = event.changed if known.by_changed else known.sets
        if not changes and event.topic != CORRECTED:
            return None
        rows = self.shared_latest if event.customer_id is None else self.latest
        subject_id = event.contact_id if known.of_contact else event.originator_id
        row = rows.get(subject_id)
        if row is None:
            row = LatestRow(subject_id, {})
            rows.add(row)
        latest, position = row.fields, event.position
        before = {field: latest.get(field, 0) for field in changes}
        for field in changes:
            latest[field] = position
        if known.is_entry:
            latest[ENTRIES] = latest.get(ENTRIES, 0) + 1
            latest[f"entry {latest[ENTRIES]}"] = position
        elif event.topic == CORRECTED:
            entry = f"entry {event.entry}"
            before["occurred_on"] = latest.get(entry, 0)
            latest[entry] = position
        return before


CORRECTED = "opportunity.stage-date-corrected"
DEFAULT_TIME_ZONE = Settings().time_zone
