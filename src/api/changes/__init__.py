"""The routes of commands, one by one and in batches."""
