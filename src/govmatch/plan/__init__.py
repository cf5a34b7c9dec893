"""What was decided, proved and told."""
