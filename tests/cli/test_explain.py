"""`notifier explain`."""

from pathlib import Path

import pytest


def test_explain_prints_tier_score_and_reasons(ready, home: Path, monkeypatch: pytest.MonkeyPatch):
    judgement = ready("explain", "--title", "Frexalimab slows lesions", "--json").json
    assert judgement["tier"] == "about"
    assert judgement["reasons"] == ["the headline names frexalimab"]
    (home / "body.txt").write_text("A CD40L antibody.")
    assert "related" in ready("explain", "--body", "body.txt").out
    assert "none (0.00)" in ready("explain", "--title", "Sanofi reports").out
