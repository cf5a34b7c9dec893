"""Arrays in; the optimum and its bound out."""
