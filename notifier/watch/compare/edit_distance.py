"""The distance between two texts: how much of one is in the other.

The only place of `watch/` that imports rapidfuzz. It knows nothing of what the texts are.
"""

from collections.abc import Iterator, Sequence

from rapidfuzz.distance import OSA, Indel, Levenshtein, Prefix

# Two texts are alike if they share this part of their words in the same order; words of a text that
# are compared. Chosen by hand; not measured.
ALIKE = 0.5
_MOST_WORDS = 1_000

# The first word and the word after the last of a part of one text, and of the other.
Block = tuple[int, int, int, int]


def similarity(words: Sequence[str], others: Sequence[str]) -> float:
    """Return the share of words, from 0 to 1, that two texts have in the same order.

    It is computed from their longest common subsequence. Values below `ALIKE` count as 0.
    """
    return Indel.normalized_similarity(
        words[:_MOST_WORDS], others[:_MOST_WORDS], score_cutoff=ALIKE
    )


def changed_blocks(words: Sequence[str], others: Sequence[str]) -> Iterator[Block]:
    """Yield the blocks in which two texts differ, with equal words between two blocks."""
    start: Block | None = None
    for operation in Levenshtein.opcodes(words, others):
        if operation.tag == "equal":
            if start is not None:
                yield start
            start = None
            continue
        first = (operation.src_start, operation.dest_start)
        old, new = (start[0], start[2]) if start is not None else first
        start = (old, operation.src_end, new, operation.dest_end)
    if start is not None:
        yield start


def is_one_slip(word: str, other: str) -> bool:
    """Return whether two words differ in one letter, or in two that changed places."""
    return OSA.distance(word, other, score_cutoff=1) <= 1


def common_start(text: str, other: str) -> int:
    """Return the number of characters with which both texts begin."""
    return Prefix.similarity(text, other)
