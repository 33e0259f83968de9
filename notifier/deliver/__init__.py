"""Delivering: a digest × a subscription becomes a message that a mail server accepted, once.

Knows messages, servers and their answers; knows nothing of how a digest was chosen.
"""
