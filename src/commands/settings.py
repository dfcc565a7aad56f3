"""What can be asked for about pipelines and the workspace's settings."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID
from zoneinfo import available_timezones

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

from aggregates.pipeline import Pipeline, Stage
from aggregates.workspace import WORKSPACE_ID, Workspace
from commands.base import Changed, Command, CreatingCommand, Work
from commands.fields import CurrencyField, Label, Line
from commands.fields.faults import fault
from commands.fields.text import tidy_line


class NewStage(BaseModel):
    """A stage: the key that is stored, and what it is called in Chinese and in English."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,39}$", examples=["proposal"])]
    zh: Label = Field(examples=["方案"])
    en: Label = Field(examples=["Proposal"])

    def made(self) -> Stage:
        """The stage as the pipeline keeps it."""
        return Stage(self.key, self.zh, self.en)


Stages = Annotated[tuple[NewStage, ...], Field(min_length=1, max_length=50)]

_EXAMPLE: list[JsonValue] = [
    {"key": "lead", "zh": "线索", "en": "Lead"},
    {"key": "proposal", "zh": "方案", "en": "Proposal"},
]


class DefinePipeline(CreatingCommand):
    """Define a pipeline by its stages, the first one first; won and lost come after all of them."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "大客户", "stages": _EXAMPLE}]})

    name: Line
    stages: Stages

    def create(self, work: Work) -> Changed:
        """Define the pipeline."""
        stages = tuple(stage.made() for stage in self.stages)
        return (Pipeline.define(work.new_id(), name=self.name, stages=stages),)


class ReviseStages(Command):
    """Give the pipeline other stages, or another order; opportunities stay in the stage they are in."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"stages": _EXAMPLE}]})

    stages: Stages

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Revise the stages of the pipeline."""
        pipeline = work.pipeline(to) if to is not None else work.load(Pipeline, to)
        pipeline.revise_stages(tuple(stage.made() for stage in self.stages))
        return (pipeline,)


def _known_time_zone(value: Any) -> Any:
    if isinstance(value, str) and tidy_line(value) not in available_timezones():
        raise fault("unknown-time-zone")
    return value.strip() if isinstance(value, str) else value


class ConfigureWorkspace(CreatingCommand):
    """Change the settings that are given; the others stay."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"time_zone": "Asia/Shanghai", "currency": "CNY"}]})

    time_zone: Annotated[str, BeforeValidator(_known_time_zone)] | None = Field(
        None, description="Where days begin.", examples=["Asia/Shanghai"]
    )
    currency: CurrencyField | None = Field(None, description="The currency where none is said.")
    code_prefix: Annotated[str, Field(pattern=r"^[A-Z]{1,8}$")] | None = Field(
        None, description="What customer codes begin with.", examples=["C"]
    )
    code_width: Annotated[int, Field(ge=3, le=9)] | None = Field(
        None, description="How many digits the serial of a month has at least."
    )

    def create(self, work: Work) -> Changed:
        """Configure the workspace."""
        given = {name: value for name, value in self.given().items() if name != "reason" and value is not None}
        workspace = work.find(Workspace, WORKSPACE_ID)
        if workspace is None:
            return (Workspace.configured(**given),)
        workspace.configure(**given)
        return (workspace,)
