"""Who and what the events speak of, by present names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from aggregates.workspace import Settings
from projections.history.labels import Lang, choice_label, word
from projections.history.records import Reading, Record, beginnings

LISTED = ("、", ", ")
ARROW = " → "
OF_MEMBERS = ("owner_id", "follower_id", "member_id")
OF_TEAMS = ("team_id", "parent_id")
NAMED = (*OF_MEMBERS, *OF_TEAMS, "product_id")
"""Ids that are shown as names."""


@dataclass(frozen=True)
class Names:
    """The names that a page of history needs."""

    lang: Lang
    zone: ZoneInfo
    members: dict[str, str | None]
    teams: dict[str, str | None]
    products: dict[str, str | None]
    stages: dict[tuple[str, str], tuple[str, str]]
    imports: dict[str, str]

    def actor(self, actor: str) -> str:
        """Who did it: a member by name, an import by its file, a rule."""
        kind, _, name = actor.partition(":")
        if kind == "member":
            return self._member(name)
        if kind == "import":
            return f"{word('import', self.lang)} {self.imports.get(name, name)} "
        return f"{word('rule', self.lang)} {name} " if kind == "rule" else actor

    def shown(self, topic: str, field: str, value: Any, pipeline_id: str | None = None) -> str:
        """A value as a reader sees it; an empty text for none."""
        if value is None or value == "":
            return ""
        if isinstance(value, bool):
            return word("true" if value else "false", self.lang)
        if field in NAMED:
            return self._named(field, str(value))
        if field == "stage":
            return self._stage(pipeline_id, str(value))
        if field == "stages":
            return ARROW.join(stage[self.lang] for stage in value)
        if field == "occurred_at":
            return datetime.fromisoformat(value).astimezone(self.zone).strftime("%Y-%m-%d %H:%M")
        if isinstance(value, list):
            return LISTED[self.lang == "en"].join(
                choice_label(topic, field, each, self.lang) or str(each) for each in value
            )
        return choice_label(topic, field, value, self.lang) or str(value)

    def _named(self, field: str, key: str) -> str:
        if field in OF_MEMBERS:
            return self._member(key)
        known = self.teams if field in OF_TEAMS else self.products
        return known.get(key) or key

    def _member(self, key: str) -> str:
        """A member without a name was erased; one that is not there at all was never registered."""
        return self.members.get(key) or word("erased" if key in self.members else "somebody", self.lang)

    def _stage(self, pipeline_id: str | None, key: str) -> str:
        if key in ("won", "lost"):
            return word(key, self.lang)
        zh, en = self.stages.get((pipeline_id or "", key), (key, key))
        return zh if self.lang == "zh" else en


def names_in(reading: Reading, records: Iterable[Record], pipelines: Iterable[str], lang: Lang) -> Names:
    """Looks up whom and what these events speak of."""
    ids: dict[str, set[str]] = {"owner_id": set(), "team_id": set(), "product_id": set(), "import": set()}
    for record in records:
        kind, _, name = record.actor.partition(":")
        if kind == "member":
            ids["owner_id"].add(name)
        elif kind == "import":
            ids["import"].add(name)
        for field in NAMED:
            if record.values.get(field):
                ids[_kind_of(field)].add(record.values[field])
    connection = reading.connection
    zone = connection.execute("SELECT time_zone FROM settings").fetchone()
    stages = connection.execute(
        "SELECT pipeline_id, key, zh, en FROM stages WHERE pipeline_id = ANY(%s)", [_uuids(pipelines)]
    )
    started = beginnings(reading, _uuids(ids["import"]))
    return Names(
        lang=lang,
        zone=ZoneInfo(zone[0]) if zone else Settings().zone,
        members=_named(connection.execute(
            "SELECT member_id, name FROM members WHERE member_id = ANY(%s)", [_uuids(ids["owner_id"])]
        )),
        teams=_named(connection.execute(
            "SELECT team_id, name FROM teams WHERE team_id = ANY(%s)", [_uuids(ids["team_id"])]
        )),
        products=_named(connection.execute(
            "SELECT product_id, name FROM products WHERE product_id = ANY(%s)", [_uuids(ids["product_id"])]
        )),
        stages={(str(pipeline_id), key): (zh, en) for pipeline_id, key, zh, en in stages},
        imports={str(batch): str(record.get("file_name")) for batch, record in started.items()},
    )  # fmt: skip


def _kind_of(field: str) -> str:
    """The field under which ids of this kind are collected."""
    return "owner_id" if field in OF_MEMBERS else "team_id" if field in OF_TEAMS else field


def _named(rows: Iterable[tuple[Any, ...]]) -> dict[str, str | None]:
    return {str(key): name for key, name in rows}


def _uuids(texts: Iterable[str]) -> list[UUID]:
    found = []
    for text in texts:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found
