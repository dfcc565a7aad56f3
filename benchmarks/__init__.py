"""What is measured, and against what: each ratio is taken in one run on one machine."""
