"""Comparing: how two states of an entry differ, and whether the difference is news.

Owns what counts as the same text, which parts of a page are no part of its text, and which changes
a reader must be told. Reads the known states, stores nothing, and knows no profile.
"""
