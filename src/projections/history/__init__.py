"""The history: every event as a sentence, with what was there before it, who did it and when."""

from projections.history.fold import History

__all__ = ["History"]
