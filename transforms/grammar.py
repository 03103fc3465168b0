"""Counts in sentences: `1 row was`, `3 rows were`, `1 of 40 student enrollments`."""

from __future__ import annotations

# Plural words whose singular does not follow the rules of `_singular`.
IRREGULAR = {
    "people": "person",
    "staff": "staff member",
    "demographics": "demographics record",
    "them": "it",
    "are": "is",
    "were": "was",
    "have": "has",
    "belong": "belongs",
    "differ": "differs",
    "refer": "refers",
    "seem": "seems",
    "stay": "stays",
}


def count_of(count: int, nouns: str) -> str:
    """Write a count before its noun, which is given in the plural: `1 class`, `3,000 classes`."""
    return f"{count:,} {agree(count, nouns)}"


def agree(count: float, words: str) -> str:
    """Return a noun, verb or pronoun, given in the plural, in the form for a count.

    Of several words, the last one changes: `new classes`, `new class`.
    """
    if count != 1:
        return words
    before, space, word = words.rpartition(" ")
    return f"{before}{space}{IRREGULAR.get(word) or _singular(word)}"


def _singular(word: str) -> str:
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    return word[:-2] if word.endswith("sses") else word.removesuffix("s")
