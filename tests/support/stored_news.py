"""News that is stored as a poll stores it, without a poll."""

from notifier.enums import NewsKind
from notifier.store.models import Entry, Revision, Source
from tests.support.installation import MONDAY, Installation


def store_entries(
    installation: Installation, titles: list[str], bodies: list[str], *, baseline: bool = False
) -> list[int]:
    """Store entries as a poll stores them, and return the ids of their revisions."""
    with installation.at(MONDAY).writing() as session:
        source = session.query(Source).first()
        first_number = session.query(Entry).count()
        revisions = []
        for number, (title, body) in enumerate(zip(titles, bodies, strict=True), first_number):
            url = f"https://herald.example.org/{number}"
            entry = Entry(
                source_id=source.id, key=str(number), url=url, title=title, first_seen_at=MONDAY
            )
            session.add(entry)
            session.flush()
            revision = Revision(
                entry_id=entry.id,
                number=1,
                hash=str(number),
                kind=NewsKind.NEW,
                material=True,
                baseline=baseline,
                observed_at=MONDAY,
                url=url,
                title=title,
                summary="",
                body=body,
                author="",
                categories=[],
                content={},
                changes=[],
            )
            session.add(revision)
            revisions.append(revision)
        session.flush()
        return [revision.id for revision in revisions]
