"""Watching: sources become documents, documents become entries with revisions.

Knows sources and what they publish; knows nothing of profiles' terms, of digests or of people.
"""
