"""Commands for what keeps the data safe: backups, the archive, checkpoints, erasures and the master key."""
