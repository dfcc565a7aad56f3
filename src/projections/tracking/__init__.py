"""The tracking table: one row a customer, everything a salesperson's sheet shows."""

from projections.tracking.fold import Tracking

__all__ = ["Tracking"]
