"""Tables in and out: reading files, mapping their rows by a profile, importing them."""
