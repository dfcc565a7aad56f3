"""An opportunity: a chance of a deal, on its way through the stages of a pipeline."""

from aggregates.opportunity.opportunity import Opportunity, StageEntry

__all__ = ["Opportunity", "StageEntry"]
