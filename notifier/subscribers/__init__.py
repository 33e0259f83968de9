"""Subscribers: who wants what and when, with which consent, and who must never be written to again.

Knows people and their choices; knows nothing of what is written to them. What is stored here is
health data: it never reaches a log, a subject or an address.
"""
