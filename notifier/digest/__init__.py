"""Digests: which matches a group of similar subscriptions is owed, and how they are worded.

Knows matches and their revisions. Does not frame, sign or send messages.
"""
