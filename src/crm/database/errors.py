"""Why a database cannot be used, as a sentence for the person who runs the service."""


class DatabaseUnusable(Exception):
    """The database cannot serve; the message says why and what would help."""


class ArchiveUnusable(DatabaseUnusable):
    """The archive cannot take or give what was asked of it; the message says why and what would help."""
