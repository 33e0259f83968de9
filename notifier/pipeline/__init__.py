"""The journey of the news, one step per file; `run.py` runs them all.

Opens and commits every transaction of the journey.
"""
