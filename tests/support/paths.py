"""Paths in a checkout; the corpora are beside it and may be missing."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "notifier"
DATA = ROOT / "tests" / "data"
SHARED = ROOT.parent / "shared"
