"""Where things lie in a checkout; the corpora lie beside it, and may be absent."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "notifier"
DATA = ROOT / "tests" / "data"
SHARED = ROOT.parent / "shared"
