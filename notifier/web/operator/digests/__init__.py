"""Digests: the list, one with its mails and results, those to come, and decisions about them."""
