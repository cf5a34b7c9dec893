"""Recurring visits: few faces for each elder, beside one plain CP-SAT model."""
