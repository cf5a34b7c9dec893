"""Home health care instances that nobody here made: read, solved, and checked apart."""
