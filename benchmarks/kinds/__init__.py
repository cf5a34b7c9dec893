"""Days with each kind of coupling, from tables to a verified plan."""
