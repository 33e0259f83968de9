"""Operators: the people who run an installation, and what they did.

Owns their accounts, passwords and roles, how long a log-in lasts, how many passwords may be
guessed, and the log of their actions. It must not know what they look at or decide about.
"""
