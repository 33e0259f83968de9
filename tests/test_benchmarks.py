"""The tools of `make bench`: ratios, goals, the check against the baseline, the pages."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bench import catalogue, check, figures, page, results, suite
from bench.figures import Figure
from tests.support.paths import ROOT

FAST = Figure("a", "ratio >= 0.9", "mails/s", 95.0, 100.0, "another", 0.95)
QUICK = Figure("b", "ours <= 60", "ms", 50.0, 25.0, "another", 2.0)


def test_a_ratio_is_that_of_each_round_so_that_a_slow_moment_falls_on_both():
    slow_then_quick = figures.compared("a", [1.0, 10.0, 10.0], [2.0, 20.0, 20.0], against="b")
    assert slow_then_quick.ratio == 0.5
    assert (slow_then_quick.ours, slow_then_quick.base) == (10.0, 20.0)


def test_cases_are_run_in_turn():
    calls = []
    cases = {name: lambda name=name: float(len(calls.append(name) or calls)) for name in "ab"}
    assert figures.alternate(cases, rounds=2) == {"a": [1.0, 3.0], "b": [2.0, 4.0]}
    assert calls == ["a", "b", "a", "b"]


@pytest.mark.parametrize(
    ("figure", "reached"),
    [
        (FAST, True),
        (replace(FAST, ratio=0.89), False),
        (QUICK, True),
        (replace(QUICK, ours=61.0), False),
        (replace(QUICK, goal=""), None),
        (figures.missing("c", "no such program", goal="ratio >= 10"), None),
    ],
)
def test_a_goal_is_reached_missed_or_unknown(figure: Figure, reached: bool | None):
    assert figure.reached is reached


def test_a_missing_peer_is_shown_as_missing_and_never_as_beaten():
    figure = figures.missing("c", "no such program", goal="ratio >= 10")
    assert page.verdict(figure) == page.NOT_MEASURED
    assert page.number(figure.ours) == page.NOT_MEASURED
    assert page.ratio_text(figure) == ""


@pytest.mark.parametrize(
    ("figure", "before", "falls"),
    [
        (FAST, 1.2, False),
        (FAST, 1.3, True),
        (FAST, 0.5, False),
        (QUICK, 1.6, False),
        (QUICK, 1.4, True),
        (QUICK, 4.0, False),
        (replace(FAST, ratio=None, ours=None), 1.0, False),
    ],
)
def test_a_ratio_that_fell_by_a_quarter_is_named(figure: Figure, before: float, falls: bool):
    """For times and memory a smaller ratio is the better one."""
    sentences = check.falls({figure.name: figure}, {figure.name: before})
    assert bool(sentences) == falls
    assert all(figure.name in sentence for sentence in sentences)


def test_what_was_not_measured_is_no_fall():
    assert check.falls({}, {"a": 1.0}) == []


def test_figures_survive_being_printed_and_read(capsys: pytest.CaptureFixture[str]):
    figures.show([FAST, QUICK])
    assert figures.read(capsys.readouterr().out) == [FAST, QUICK]


def a_result(tmp_path: Path, size: str, *measured: Figure) -> None:
    result = results.Result(
        "deliver", size, [], "2026-03-02", 1.0, [0.0, 0.0], {"cores": 2}, {}, list(measured)
    )
    results.write(result, tmp_path)


def test_a_quick_run_does_not_replace_what_a_full_run_measured(tmp_path: Path):
    a_result(tmp_path, "full", FAST)
    a_result(tmp_path, "quick", replace(FAST, ratio=0.5), QUICK)
    assert results.figures("deliver", tmp_path) == [FAST, QUICK]


def test_the_check_reads_quick_runs_only(tmp_path: Path):
    a_result(tmp_path, "full", FAST)
    assert check.measured(tmp_path) == {}
    a_result(tmp_path, "quick", FAST, figures.missing("c", "no such program"))
    assert check.measured(tmp_path) == {"a": FAST}


def test_a_measurement_that_fails_gives_no_result():
    broken = replace(catalogue.BENCHES[0], scripts=("figures.py",))
    with pytest.raises(suite.FailedError, match=r"figures\.py: ended with 1"):
        suite.measure(broken, full=False)


def test_an_unknown_measurement_is_refused_with_those_that_there_are():
    with pytest.raises(SystemExit, match=r"no measurement plann: .*deliver"):
        catalogue.named(["plann"])


def test_every_goal_has_a_measurement():
    measured = {goal for bench in catalogue.BENCHES for goal in bench.goals}
    assert measured == {f"P{number}" for number in range(13)}


def test_the_pages_are_what_the_stored_results_say():
    assert page.outdated() == [], "run: python bench/page.py"


def test_the_baseline_names_only_figures_that_are_measured():
    baseline = json.loads((ROOT / "bench" / "baseline.json").read_text(encoding="utf-8"))
    assert set(baseline) <= set(check.measured())


@pytest.mark.long
def test_plots_are_the_same_for_the_same_results(tmp_path: Path):
    pytest.importorskip("matplotlib", reason="THE PLOTS ARE NOT TRIED: make .venv/bench")
    from bench import plots
    from bench.catalogue import Curve

    points = [
        Figure(f"{n}", unit="s", ours=float(n), at={"people": n, "database": "SQLite"})
        for n in (10, 100)
    ]
    files = [tmp_path / name for name in ("one.svg", "two.svg")]
    for file in files:
        assert plots.curve(points, Curve("people", "s", "A plot"), file)
    one, two = (file.read_text(encoding="utf-8") for file in files)
    assert one == two
    assert "A plot" in one


def test_each_curve_has_a_picture_of_its_own():
    files = [page.slug(bench, curve) for bench in catalogue.BENCHES for curve in bench.curves]
    assert len(files) == len(set(files)) > 5
