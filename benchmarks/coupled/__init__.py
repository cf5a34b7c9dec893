"""Days with teams, from tables to a verified plan, beside one plain CP-SAT model of the same arcs."""
