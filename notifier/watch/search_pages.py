"""The pages of a registry's search: how far a list of trials is read in one poll.

Pure.
"""

from collections.abc import Collection

# Pages that are read in one poll: nobody watches so many trials, and some servers never end a list.
# Chosen by hand; not measured.
MOST_PAGES = 50


def endless(requested: Collection[str], url: str, *, repeats: bool) -> str:
    """Return the reason why a list is not read any further; empty if its next page is requested.

    The rest of such a list is unknown, so no trial counts as one that left it.

    Args:
        requested: the addresses of the further pages that were requested.
        url: the address of its next page.
        repeats: whether the last page named only trials that earlier ones had named.
    """
    if repeats or url in requested:
        return f"its list of trials repeats itself after {len(requested) + 1} pages"
    if len(requested) + 1 >= MOST_PAGES:
        return (
            f"its list of trials does not end after {MOST_PAGES} pages: narrow the search, or ask"
            " for more trials on a page (pageSize=1000)"
        )
    return ""
