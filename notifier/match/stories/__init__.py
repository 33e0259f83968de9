"""Stories: which texts report the same event.

Owns the comparison of headlines and passages, and the facts that make two events. Stores nothing.
"""
