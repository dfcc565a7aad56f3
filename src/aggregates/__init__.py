"""What is true of the business: aggregates, their events and their rules. Nothing here knows SQL or HTTP."""

from aggregates.registry import ALL, event_classes, refusals

__all__ = ["ALL", "event_classes", "refusals"]
