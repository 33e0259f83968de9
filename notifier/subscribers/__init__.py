"""Subscribers: people, their subscriptions, choices and consents, and suppressed addresses.

This package does not know the texts of the mails. What it stores is health data: it never appears
in a log, a subject or a URL.
"""
