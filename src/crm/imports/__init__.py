"""Imports that were asked for over HTTP, done by worker processes of their own."""

from crm.imports.watching import watch

__all__ = ["watch"]
