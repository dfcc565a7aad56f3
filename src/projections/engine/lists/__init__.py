"""The small language in which lists are filtered, sorted, searched and paged."""
