"""A pipeline: the stages that an opportunity goes through before it is won or lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self
from uuid import UUID

from eventsourcing.domain import event

from aggregates.base import Aggregate, Created, DomainError, Event
from aggregates.ids import named


@dataclass(frozen=True)
class Stage:
    """A stage: the key that is stored, and what it is called in Chinese and in English."""

    key: str
    zh: str
    en: str

    def is_called(self, text: str) -> bool:
        """Whether somebody who wrote this means this stage."""
        return text.strip().casefold() in (self.key.casefold(), self.zh.casefold(), self.en.casefold())


DEFAULT_PIPELINE_ID = named("pipeline", "default")
DEFAULT_STAGES = (
    Stage("lead", "线索", "Lead"),
    Stage("need", "需求", "Need"),
    Stage("proposal", "方案", "Proposal"),
    Stage("negotiation", "谈判", "Negotiation"),
)
CLOSED_STAGES = ("won", "lost")


class StageUnknown(DomainError):
    """The pipeline has no such stage."""

    code = "stage-unknown"
    at = "stage"
    stage: str
    stages: tuple[str, ...]


class StagesUnclear(DomainError):
    """A pipeline needs at least one stage, each with a key and names of its own, and none called won or lost."""

    code = "stages-unclear"
    at = "stages"
    stage: str | None


class Pipeline(Aggregate):
    """The stages, in order, that opportunities of one kind go through (OPP-3)."""

    TOPIC = "pipeline"

    class Defined(Created):
        """A pipeline was defined."""

        TOPIC = "pipeline.defined"
        name: str
        stages: tuple[Stage, ...]

    class StagesRevised(Event):
        """Its stages are others, or in another order; opportunities stay in the stage they are in."""

        TOPIC = "pipeline.stages-revised"
        stages: tuple[Stage, ...]

    @classmethod
    def define(cls, id: UUID, *, name: str, stages: tuple[Stage, ...]) -> Self:
        """Define a pipeline by its stages, the first one first."""
        _require_clear(stages)
        return cls.begin(cls.Defined, id=id, customer_id=None, name=name, stages=stages)

    @classmethod
    def default(cls) -> Self:
        """The pipeline of a workspace that has defined none: lead, need, proposal, negotiation."""
        return cls.define(DEFAULT_PIPELINE_ID, name="default", stages=DEFAULT_STAGES)

    def __init__(self, name: str, stages: tuple[Stage, ...]) -> None:
        self.name = name
        self.stages = stages

    def revise_stages(self, stages: tuple[Stage, ...]) -> None:
        """Have other stages from now on."""
        _require_clear(stages)
        if stages != self.stages:
            self._stages_revised(stages)

    def stage(self, text: str | None) -> str:
        """The key of the stage that is meant by a key or a name; the first one for none."""
        if text is None:
            return self.stages[0].key
        for stage in self.stages:
            if stage.is_called(text):
                return stage.key
        raise StageUnknown(stage=text, stages=tuple(stage.key for stage in self.stages))

    def place(self, key: str) -> int:
        """How far along a stage is, from 0; before all others (-1) when the pipeline no longer has it."""
        return next((place for place, stage in enumerate(self.stages) if stage.key == key), -1)

    @event(StagesRevised)
    def _stages_revised(self, stages: tuple[Stage, ...]) -> None:
        self.stages = stages


def _require_clear(stages: tuple[Stage, ...]) -> None:
    taken: set[str] = set()
    for stage in stages:
        names = {stage.key.casefold(), stage.zh.casefold(), stage.en.casefold()}
        if names & taken or stage.key in CLOSED_STAGES:
            raise StagesUnclear(stage=stage.key)
        taken |= names
    if not stages:
        raise StagesUnclear(stage=None)
