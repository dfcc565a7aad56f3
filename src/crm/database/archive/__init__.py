"""The archive of an embedded database: base backups and its whole write-ahead log, to recover it to any moment."""
