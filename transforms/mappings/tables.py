"""The tables of a mapping file -> the files, rows and joins of a layout, by the fields that those have."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from functools import cache
from inspect import Parameter, signature
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from transforms.layouts import expressions as cells
from transforms.layouts import expressions as conditions
from transforms.layouts.expressions import Cell, races, text
from transforms.layouts.layout import File, Join, Rows
from transforms.mappings.problems import DocumentLocation, meant, shown
from transforms.schemas import ENTITIES

JOIN, RACES, OPTIONAL = "join", "races", "optional"
# The fields of files and rows that a mapping sets by their own names.
FILE = ("name", "names", "needed", "ignored", "aliases")
ROWS = ("where", "given", "derived", "repeats", "each", "presumed")


def file_of(table: Any, place: DocumentLocation, reader: Reader) -> File | None:
    """Read a `[[file]]` with the rows and joins in it."""
    if not is_table(table, place):
        return None
    known = [*FILE, OPTIONAL, JOIN, *ENTITIES]
    found = fields_of(File, FILE, table, place, reader, known)
    optional = (
        read(table[OPTIONAL], tuple[str, ...], place.at(OPTIONAL), reader)
        if OPTIONAL in table
        else ()
    )
    joins = [_join(one, here, reader) for one, here in _each(table, JOIN, place)]
    rows = [
        _rows(name, one, here, reader)
        for name in ENTITIES
        for one, here in _each(table, name, place)
    ]
    if found is None or optional is None or None in joins or None in rows:
        return None
    return File(gives=tuple(filter(None, rows)), joins=tuple(filter(None, joins)), **found)


def is_table(value: Any, place: DocumentLocation) -> bool:
    """Whether a value is a table, which else is noted."""
    if not isinstance(value, dict):
        place.wrong(f"is {shown(value)}; expected a table.")
    return isinstance(value, dict)


def fields_of(
    kind: type,
    names: tuple[str, ...],
    table: dict[str, Any],
    place: DocumentLocation,
    reader: Reader,
    known: list[str],
) -> dict[str, Any] | None:
    """Read the fields of a dataclass that have these names; a key that is not `known`, or a field that is missing, is noted."""
    hints, before = get_type_hints(kind), len(place.problems)
    for key in table:
        if key not in known:
            place.at(key).wrong(f"is no key of this table: {meant(key, known)}")
    for one in fields(kind):
        if (
            one.name in names
            and one.name not in table
            and one.default is MISSING
            and one.default_factory is MISSING
        ):
            place.wrong(f"lacks `{one.name}`. Add it.")
    found = {
        name: read(table[name], hints[name], place.at(name), reader)
        for name in names
        if name in table
    }
    return found if len(place.problems) == before else None


def _each(
    table: dict[str, Any], name: str, place: DocumentLocation
) -> Iterator[tuple[Any, DocumentLocation]]:
    """The tables of one name: a list of them, or a single one."""
    value = table.get(name, [])
    if isinstance(value, list):
        yield from ((one, place.at(name, number)) for number, one in enumerate(value))
    else:
        yield value, place.at(name)


def _join(table: Any, place: DocumentLocation, reader: Reader) -> Join | None:
    names = tuple(one.name for one in fields(Join))
    found = (
        fields_of(Join, names, table, place, reader, list(names))
        if is_table(table, place)
        else None
    )
    return None if found is None else Join(**found)


def _rows(entity: str, table: Any, place: DocumentLocation, reader: Reader) -> Rows | None:
    """Read what rows of a file say of one entity: settings of `Rows`, and a cell for each column."""
    if not is_table(table, place):
        return None
    columns = {column.name for column in ENTITIES[entity].current}
    cells = {
        key: one for key, one in table.items() if key in columns or key.startswith("metadata.")
    }
    more = _races(table, place, reader) if entity == "demographics" and RACES in table else {}
    known = [*ROWS, *cells, *columns, *([RACES] if entity == "demographics" else [])]
    settings = {key: one for key, one in table.items() if key not in cells}
    found = _settings(settings, place, reader, known)
    read_cells = {key: cell(one, place.at(key), reader) for key, one in cells.items()}
    if found is None or more is None or None in read_cells.values():
        return None
    return Rows(entity, {**{key: one for key, one in read_cells.items() if one}, **more}, **found)


def _settings(
    table: dict[str, Any], place: DocumentLocation, reader: Reader, known: list[str]
) -> dict[str, Any] | None:
    where = (
        cell(table["where"], place.at("where"), reader.of_conditions) if "where" in table else None
    )
    others = {key: one for key, one in table.items() if key != "where"}
    found = fields_of(Rows, ROWS, others, place, reader, known)
    return (
        None if found is None or ("where" in table and where is None) else {**found, "where": where}
    )


def _races(
    table: dict[str, Any], place: DocumentLocation, reader: Reader
) -> dict[str, Cell] | None:
    """The columns of demographics that one column of races fills."""
    found = cell(table[RACES], place.at(RACES), reader)
    return None if found is None else races(found)


EXPECTED = {
    str: "a text in quotes",
    bool: "true or false without quotes",
    int: "a whole number without quotes",
}


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


def read(value: Any, kind: Any, place: DocumentLocation, reader: Reader) -> Any:
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


def several(
    value: Any, kind: Any, place: DocumentLocation, reader: Reader
) -> tuple[Any, ...] | None:
    """Give a list, or a single value as a list of one."""
    if not isinstance(value, list):
        value = [value]
    if not value:
        place.wrong("is an empty list; leave the key out, or name what belongs there.")
        return None
    found = tuple(read(one, kind, place.at(number), reader) for number, one in enumerate(value))
    return None if None in found else found


def _choice(value: Any, choices: list[str], place: DocumentLocation) -> Any:
    if value not in choices:
        place.wrong(f"is {shown(value)}: {meant(str(value), choices)}")
        return None
    return value


def _table(value: Any, kind: Any, place: DocumentLocation, reader: Reader) -> dict[str, Any] | None:
    if not isinstance(value, dict) or not value:
        place.wrong(
            f"is {shown(value)}; expected a table that is not empty, such as {{key = ...}}."
        )
        return None
    found = {key: read(one, kind, place.at(key), reader) for key, one in value.items()}
    return None if None in found.values() else found


def cell(value: Any, place: DocumentLocation, reader: Reader) -> Cell | None:
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
    takers = [
        name
        for name, word in reader.words.items()
        if key in [one.name for one in arguments(word)[1:]]
    ]
    if takers:
        return f"has {key!r}, and not the word that takes it. Add `{'` or `'.join(takers)}`."
    return f"says {key!r}, which is no word here: {meant(key, reader.words)}"


def _said(name: str, table: dict[str, Any], place: DocumentLocation, reader: Reader) -> Cell | None:
    """Say a word; its first parameter stands at the word's own name, the others at theirs."""
    word = reader.words[name]
    keys = {name if number == 0 else one.name: one for number, one in enumerate(arguments(word))}
    before = len(place.problems)
    _nothing_else(name, table, [*keys] or [name], place)
    found = {}
    for key, one in keys.items():
        found[one.name] = _argument(key, one, table, place, reader)
    if not keys and table[name] is not True:
        place.at(name).wrong(
            f"is {shown(table[name])}; expected true, as this word takes no column."
        )
    if len(place.problems) > before:
        return None
    return said(word, {name: value for name, value in found.items() if value is not None})


def _nothing_else(
    name: str, table: dict[str, Any], keys: list[str], place: DocumentLocation
) -> None:
    for key in table:
        if key not in keys:
            place.at(key).wrong(f"is nothing that {name} takes: {meant(key, keys)}")


def _argument(
    key: str, one: Argument, table: dict[str, Any], place: DocumentLocation, reader: Reader
) -> Any:
    if key in table:
        return read(table[key], one.kind, place.at(key), reader)
    if one.name == "order":
        if not reader.date_order:
            place.wrong(
                'reads a date, and nothing says in which order its parts are. Add `date_order = "mdy"`, "dmy" or "ymd" to [layout].'
            )
        return reader.date_order
    if not one.optional:
        place.wrong(f"lacks `{key}`. Add it.")
    return None


Word = Callable[..., Cell]

CELLS: dict[str, Word] = {
    word.__name__: word
    for word in (
        cells.text,
        cells.constant,
        cells.district,
        cells.first,
        cells.joined,
        cells.given,
        cells.lowered,
        cells.texts,
        cells.one_of,
        cells.derived,
        cells.derived_each,
        cells.digested,
        cells.digested_each,
        cells.iso_date,
        cells.birth_date,
        cells.grades,
        cells.yes_no,
        cells.sex,
        cells.org_type,
        cells.role,
        cells.class_role,
        cells.status,
        cells.user_ids,
        cells.given_name,
        cells.family_name,
    )
}
CONDITIONS: dict[str, Word] = {
    word.__name__: word
    for word in (
        conditions.filled,
        conditions.either,
        conditions.blank,
        conditions.both,
        conditions.is_any,
        conditions.is_none,
    )
}


@dataclass(frozen=True)
class Argument:
    """One parameter of a word: its `kind`, and whether a mapping may leave it out; `spread` says how it is given."""

    name: str
    kind: Any
    optional: bool
    spread: str = ""


@cache
def arguments(word: Word) -> tuple[Argument, ...]:
    """The parameters of a word in their order."""
    hints = get_type_hints(word)
    return tuple(_argument_of(one, hints[one.name]) for one in signature(word).parameters.values())


def _argument_of(parameter: Parameter, hint: Any) -> Argument:
    if parameter.kind is Parameter.VAR_POSITIONAL:
        return Argument(parameter.name, tuple[hint, ...], False, "*")
    if parameter.kind is Parameter.VAR_KEYWORD:
        return Argument(parameter.name, Mapping[str, hint], False, "**")
    return Argument(parameter.name, hint, parameter.default is not Parameter.empty)


def said(word: Word, values: Mapping[str, Any]) -> Cell:
    """Say a word with values for its parameters."""
    listed: list[Any] = []
    named: dict[str, Any] = {}
    for one in arguments(word):
        if one.name not in values:
            continue
        if one.spread == "*":
            listed += values[one.name]
        elif one.spread == "**":
            named |= values[one.name]
        elif one.optional:
            named[one.name] = values[one.name]
        else:
            listed.append(values[one.name])
    return word(*listed, **named)
