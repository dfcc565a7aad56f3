"""Takes whole tables out: the question put to a read model, page after page of one snapshot, as lines of a sheet."""

from crm.exporting.asked import Asked, Unanswerable, asked_of
from crm.exporting.reading import Taking, taking

__all__ = ["Asked", "Taking", "Unanswerable", "asked_of", "taking"]
