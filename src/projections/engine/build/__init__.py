"""Read models built anew or as of a moment, and the jobs that do it."""
