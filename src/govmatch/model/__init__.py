"""What was asked and what there is: checked, as columns."""
