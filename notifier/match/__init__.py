"""Matching: a revision × a profile becomes a match, with its tier, its score and the reasons in plain words.

Knows terms and texts; knows nothing of how a text was fetched or of who will read it.
"""
