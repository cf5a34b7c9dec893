"""Who can reach whom, through whom, at what cost."""
