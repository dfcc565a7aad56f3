"""The pipeline: opportunities, the stages they went through, and the funnel on any day."""

from projections.pipeline.conversion import conversion, sources
from projections.pipeline.fold import Pipeline
from projections.pipeline.funnel import funnel
from projections.pipeline.opportunities import OPPORTUNITIES, one, page
from projections.pipeline.standing import DIMENSIONS

__all__ = ["DIMENSIONS", "OPPORTUNITIES", "Pipeline", "conversion", "funnel", "one", "page", "sources"]
