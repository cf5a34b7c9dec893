"""Pictures, pages and sheets of a plan."""
