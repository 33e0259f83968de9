"""Headline labels: the counters and labels around a headline, which say nothing of it.

Pure. The lists were chosen by hand; not measured. The name of the site is a matter of
`headlines.py`.
"""

from notifier.watch.compare.surroundings import COUNTER, whole

# At the end, or before the name of the site.
_HEADLINE_END = r"(?= $ | \ ?[|»•] | \ [–—·:-]\  )"
_HEADLINE_COUNTER = whole(rf"""
    (?i) \ ? (?: [\[(]\ ? {COUNTER} \ ?[\])] | [–—|·•-]\ ? {COUNTER} ) {_HEADLINE_END}
""")
_HEADLINE_NUMBER = whole(rf"\ ? [\[(]\ ? (?: \d{{1,3}} | \+\d{{1,4}} ) \ ?[\])] {_HEADLINE_END}")
_HEADLINE_LABEL = whole(r"""
    (?i) ^ (?: update | rpt | refile | wrapup | factbox | exclusive ) \ ?\d{0,2} \ ?-\ ?(?=\S)
    | ^ (?: breaking(?:\ news)? | news | podcast | opinion | press\ release | eilmeldung
    | aktualisiert | mise\ à\ jour | actualización | actualizado | aggiornamento | pressemitteilung
    | communiqué | protected | private | geschützt | privat | protégé | privé | protegido | privado
    | protetto | beveiligd | 保護中 | updated? | watch | listen | video | premium | plus
    | members\ only | exclusive | free | new | live | sponsored | analysis | explainer ) \ ?[:|]\ ?
    | ^[\[(] (?: video | podcast | updated? | premium | members\ only | audio ) [\])]\ ?
    | \ [\[(] (?:with\ |mit\ |avec\ |con\ |\+)?
    (?: video | podcast | updated? (?:\ [\w.,\ ]{0,18}\d)? | premium | audio | photos
    | aktualisiert ) [\])]$
    | \ [–—|-]\ (?: photos | video | podcast ) $
    | (?: \ \#\w{1,30} ){1,5} $
""")


def bare_headline(title: str) -> str:
    """Return a headline without a counter at its end, and without a label for the whole post."""
    uncounted = _HEADLINE_NUMBER.sub("", without_counter(title.strip()))
    return _HEADLINE_LABEL.sub("", uncounted) or title


def without_counter(title: str) -> str:
    """Return a headline without the number of its comments or readers; a bare number stays."""
    return _HEADLINE_COUNTER.sub("", title) or title
