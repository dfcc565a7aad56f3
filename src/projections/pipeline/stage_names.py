"""What the stages of the pipelines are called."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from psycopg import Connection


def stage_names(connection: Connection[Any], lang: Literal["zh", "en"]) -> dict[tuple[UUID, str], str]:
    """The name of every stage, by pipeline and key."""
    found = connection.execute("SELECT pipeline_id, key, zh, en FROM pipeline_stages")
    return {(pipeline_id, key): zh if lang == "zh" else en for pipeline_id, key, zh, en in found}
