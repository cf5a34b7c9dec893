"""Mixed-integer programmes of what is coupled: columns, rows and model apart."""
