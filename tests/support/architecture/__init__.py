"""The rules for the source code, each a function over a package that returns its violations.

A violation is a sentence that begins with the file and the line. `tests/test_architecture.py` runs
every rule on the real package, which must keep it, and on packages that break it.
"""
