"""The journey of the news, a step per file; `run.py` runs them all. Opens and commits every transaction of it."""
