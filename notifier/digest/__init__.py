"""Digests: the matches that a group of like subscriptions is owed become one composed edition.

Knows matches and their revisions; knows nothing of how a message is framed, signed or sent.
"""
