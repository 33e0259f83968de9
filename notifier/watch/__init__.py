"""Watching: an address becomes bytes, bytes become entries, entries get revisions.

Knows sources and what they publish; knows nothing of profiles' terms, of digests or of people.
"""
