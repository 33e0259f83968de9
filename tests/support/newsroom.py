"""A newsroom: an installation whose articles and their states a test stores by hand."""

from datetime import datetime, timedelta

from sqlalchemy import func, select

from notifier.enums import NewsKind
from notifier.pipeline import match
from notifier.pipeline.run import run_once
from notifier.store.models import Entry, Match, NearMiss, Revision, Source
from tests.support.installation import MONDAY, Installation

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LESIONS = "Frexalimab slows lesions"
EDIT = {
    "what": "text",
    "before": "In the study 89 patients had no new lesions after a year.",
    "after": "In the study 98 patients had no new lesions after a year.",
    "note": "",
}
GONE = {"what": "withdrawn", "before": "", "after": "The page is gone.", "note": ""}


class Newsroom:
    """An installation whose articles and their states the test stores by hand."""

    def __init__(self, made: Installation) -> None:
        self.made = made

    def see(self, title: str = LESIONS, body: str = "Made up.", after: timedelta = HOUR, **more):
        """Store a new article and judge it; return its id."""
        with self.made.at(MONDAY).writing() as session:
            source_id = session.scalars(select(Source.id).order_by(Source.id)).first()
            number = (session.scalar(select(func.max(Entry.id))) or 0) + 1
            entry = Entry(
                source_id=source_id,
                key=f"article {number}",
                url=f"https://herald.example.org/{number}",
                title=title,
                published_at=MONDAY + after - 2 * HOUR,
                first_seen_at=MONDAY + after,
            )
            session.add(entry)
            session.flush()
            entry_id = entry.id
        self.revise(entry_id, NewsKind.NEW, after, title=title, body=body, **more)
        return entry_id

    def revise(
        self, entry_id: int, kind: NewsKind, after: timedelta, *changes: dict, judge=True, **more
    ) -> None:
        """Store a newer state of an article, and judge it."""
        columns = {
            "title": LESIONS,
            "url": "https://herald.example.org/",
            "hash": "",
            "summary": "",
            "body": "Made up.",
            "author": "",
            "material": True,
            "baseline": False,
        }
        with self.made.at(MONDAY).writing() as session:
            newest = select(func.max(Revision.number)).where(Revision.entry_id == entry_id)
            session.add(
                Revision(
                    entry_id=entry_id,
                    number=(session.scalar(newest) or 0) + 1,
                    kind=kind,
                    observed_at=MONDAY + after,
                    categories=[],
                    content={},
                    changes=list(changes),
                    **{**columns, **more},
                )
            )
        if judge:
            match.run(self.made.at(MONDAY + after))

    def run(self, moment: datetime) -> None:
        """Run the pipeline once."""
        report = run_once(self.made.at(moment))
        assert report.problems == ()

    def held_id(self, title: str = "") -> int:
        """Return the id of the newest held match, or of that with this headline."""
        ids = select(NearMiss.id).join(Entry, Entry.id == NearMiss.entry_id)
        if title:
            ids = ids.where(Entry.title == title)
        with self.made.at(MONDAY).reading() as session:
            return session.scalars(ids.order_by(NearMiss.id.desc())).first()

    def match_of(self, entry_id: int) -> Match:
        """Return the newest match of an article."""
        newest = select(Match).where(Match.entry_id == entry_id).order_by(Match.id.desc())
        with self.made.at(MONDAY).reading() as session:
            return session.scalars(newest).first()
