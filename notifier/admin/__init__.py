"""Operator requests outside the journey of an entry: previews, checks and imports."""
