"""Why a backup is not made or not restored, as a sentence for the person who runs the service."""


class BackupUnusable(Exception):
    """The file, its keys or the store that is to be filled cannot be used; the message says why and what would help."""
