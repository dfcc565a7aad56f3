"""Bringing tables in over HTTP: files are uploaded, a worker imports them, and its progress and report can be read."""

from api.imports.routes import add_imports

__all__ = ["add_imports"]
