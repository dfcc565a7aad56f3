"""What can be seen: one room a read model, and the engine that builds, keeps and proves them."""

from projections.engine.model.declaration import Projection
from projections.history import History
from projections.pipeline import Pipeline
from projections.receivables import Receivables
from projections.tracking import Tracking

ALL: tuple[type[Projection], ...] = (Tracking, Pipeline, Receivables, History)
"""Every read model of this release."""

__all__ = ["ALL"]
