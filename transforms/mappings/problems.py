"""What is wrong in a mapping file: the keys that lead there, and a sentence about what they hold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from typing import Any

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong; `says` goes on where the key leaves off."""

    path: Path
    says: str

    def __str__(self) -> str:
        """The sentence: the key, as it is written in the file, and what is wrong with it."""
        key = ".".join(part for part in self.path if isinstance(part, str))
        return f"`{key}` {self.says}" if key else f"The file {self.says}"


@dataclass(frozen=True)
class Place:
    """A place in the document, and the list on which everything wrong is put."""

    path: Path = ()
    problems: list[Problem] = field(default_factory=list)

    def at(self, *keys: str | int) -> Place:
        """A place within this one."""
        return Place((*self.path, *keys), self.problems)

    def wrong(self, says: str) -> None:
        """Note that something is wrong here."""
        self.problems.append(Problem(self.path, says))


def meant(word: str, words: Iterable[str]) -> str:
    """Say what may have been meant, or what there is."""
    words = list(words)
    lowered = {one.casefold(): one for one in words}
    close = get_close_matches(word.casefold(), lowered, 1)
    return f"did you mean {lowered[close[0]]!r}?" if close else f"expected one of {', '.join(words)}."


def shown(value: object) -> str:
    """A value as a person wrote it, cut if it is long."""
    text = str(value).lower() if isinstance(value, bool) else str(value) if isinstance(value, date) else repr(value)
    return text if len(text) <= 40 else f"{text[:40]}..."


def texts(value: Any) -> list[Any]:
    """What a list has, or the keys of a table; a single text is a list of one."""
    return [value] if isinstance(value, str) else list(value)
