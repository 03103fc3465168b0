"""The values of a mapping file -> what fields and parameters want: texts, lists, tables, and cells in the words of layouts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from transforms.layouts.cells import Cell, text
from transforms.mappings.problems import Place, meant, shown
from transforms.mappings.vocabulary import CELLS, CONDITIONS, Argument, Word, arguments, said

EXPECTED = {str: "a text in quotes", bool: "true or false without quotes", int: "a whole number without quotes"}


@dataclass(frozen=True)
class Reader:
    """How values are read: `date_order` is that of dates which say no other, `words` are those that may be said."""

    date_order: str = ""
    words: Mapping[str, Word] = field(default_factory=lambda: CELLS)

    @property
    def of_conditions(self) -> Reader:
        """The same, for conditions."""
        return replace(self, words=CONDITIONS)

    @property
    def expected(self) -> str:
        """What a cell may look like."""
        if self.words is CONDITIONS:
            return 'a condition, such as {filled = "Email"}'
        return 'a column in quotes, or a word in braces, such as {constant = "student"}'


def read(value: Any, kind: Any, place: Place, reader: Reader) -> Any:
    """Give a value of a kind; None if it cannot be read, which is noted."""
    if get_origin(kind) in (Union, UnionType):
        options = [one for one in get_args(kind) if one is not NoneType]
        kind = Cell if Cell in options else options[0]
    if kind is Cell:
        return cell(value, place, reader)
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return _choice(value, [one for one in inner if one], place)
    if origin is tuple:
        return several(value, inner[0], place, reader)
    if origin is not None:
        return _table(value, inner[1], place, reader)
    if type(value) is not kind or value == "":
        place.wrong(f"is {shown(value)}; expected {EXPECTED[kind]}.")
        return None
    return value


def several(value: Any, kind: Any, place: Place, reader: Reader) -> tuple[Any, ...] | None:
    """Give a list, or a single value as a list of one."""
    if not isinstance(value, list):
        value = [value]
    if not value:
        place.wrong("is an empty list; leave the key out, or name what belongs there.")
        return None
    found = tuple(read(one, kind, place.at(number), reader) for number, one in enumerate(value))
    return None if None in found else found


def _choice(value: Any, choices: list[str], place: Place) -> Any:
    if value not in choices:
        place.wrong(f"is {shown(value)}: {meant(str(value), choices)}")
        return None
    return value


def _table(value: Any, kind: Any, place: Place, reader: Reader) -> dict[str, Any] | None:
    if not isinstance(value, dict) or not value:
        place.wrong(f"is {shown(value)}; expected a table that is not empty, such as {{key = ...}}.")
        return None
    found = {key: read(one, kind, place.at(key), reader) for key, one in value.items()}
    return None if None in found.values() else found


def cell(value: Any, place: Place, reader: Reader) -> Cell | None:
    """Give a cell: a text is a column, a table says a word with its parameters."""
    if isinstance(value, str) and value and reader.words is CELLS:
        return text(value)
    if not isinstance(value, dict) or not value:
        place.wrong(f"is {shown(value)}; expected {reader.expected}.")
        return None
    words = [key for key in value if key in reader.words]
    if len(words) > 1:
        place.wrong(f"says {' and '.join(words)} at once. Leave one of them.")
        return None
    if not words:
        place.wrong(_wordless(next(iter(value)), reader))
        return None
    return _said(words[0], value, place, reader)


def _wordless(key: str, reader: Reader) -> str:
    """Say what a table lacks that says no word: what takes its first key, or what that may have meant."""
    takers = [name for name, word in reader.words.items() if key in [one.name for one in arguments(word)[1:]]]
    if takers:
        return f"has {key!r}, and not the word that takes it. Add `{'` or `'.join(takers)}`."
    return f"says {key!r}, which is no word here: {meant(key, reader.words)}"


def _said(name: str, table: dict[str, Any], place: Place, reader: Reader) -> Cell | None:
    """Say a word; its first parameter stands at the word's own name, the others at theirs."""
    word = reader.words[name]
    keys = {name if number == 0 else one.name: one for number, one in enumerate(arguments(word))}
    before = len(place.problems)
    _nothing_else(name, table, [*keys] or [name], place)
    found = {}
    for key, one in keys.items():
        found[one.name] = _argument(key, one, table, place, reader)
    if not keys and table[name] is not True:
        place.at(name).wrong(f"is {shown(table[name])}; expected true, as this word takes no column.")
    if len(place.problems) > before:
        return None
    return said(word, {name: value for name, value in found.items() if value is not None})


def _nothing_else(name: str, table: dict[str, Any], keys: list[str], place: Place) -> None:
    for key in table:
        if key not in keys:
            place.at(key).wrong(f"is nothing that {name} takes: {meant(key, keys)}")


def _argument(key: str, one: Argument, table: dict[str, Any], place: Place, reader: Reader) -> Any:
    if key in table:
        return read(table[key], one.kind, place.at(key), reader)
    if one.name == "order":
        if not reader.date_order:
            place.wrong('reads a date, and nothing says in which order its parts are. Add `date_order = "mdy"`, "dmy" or "ymd" to [layout].')  # fmt: skip
        return reader.date_order
    if not one.optional:
        place.wrong(f"lacks `{key}`. Add it.")
    return None
