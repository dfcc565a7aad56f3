"""What an answer looks like, problems among them."""
