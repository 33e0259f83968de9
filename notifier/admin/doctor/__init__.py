"""The doctor: checks of a whole installation, each finding with what to do about it.

It reads, asks and connects, and changes nothing; it sends a mail only when it is asked to.
`checks.py` lists all checks in their order, with a file for each area; `examination.py` runs them.
"""
