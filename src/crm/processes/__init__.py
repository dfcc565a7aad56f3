"""The processes of a running service: one that looks after the others, those that answer, and one that projects."""
