"""Teams at fixed times, beside one plain CP-SAT model."""
