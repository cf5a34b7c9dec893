"""The matching loop on plain arrays: `govmatch.assign` and `govmatch.Matcher` beside the peers."""
