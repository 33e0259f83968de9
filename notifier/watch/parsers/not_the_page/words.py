"""The form in which the words of pages that stand in place of a document are kept."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """The words of one kind of page.

    Attributes:
        name: the kind, as the operator reads it behind "the address answered with".
        titles: whole titles or headings.
        phrases: beginnings of words in the text that hardly anything else says.
        hints: the same, of phrases that other pages say, too.
        traces: parts of the markup, in lower case.
        paths: parts of the address, between slashes.
    """

    name: str
    titles: str
    phrases: str = ""
    hints: str = ""
    traces: str = ""
    paths: str = ""
