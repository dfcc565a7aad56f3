"""Turns rows into commands, as a profile says."""
