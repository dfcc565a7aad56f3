"""Imports as jobs: asked for in one process, done in another, and known to all through the database."""

from sheets.jobs.job import Ended, Job, Order, Outcome

__all__ = ["Ended", "Job", "Order", "Outcome"]
