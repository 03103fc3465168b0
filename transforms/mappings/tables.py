"""Convert the tables of a mapping file to files, rows, joins and cells of a layout.

The keys of a table are the fields of the dataclasses in `layouts.layout`. The words of cells are
the functions of `layouts.expressions`, with the names of their parameters. A person writes these
names in a mapping file, so renaming a field, a function or a parameter breaks those files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from functools import cache
from inspect import Parameter, signature
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from transforms.layouts import expressions
from transforms.layouts.expressions import Cell, races, text
from transforms.layouts.layout import File, Join, Rows
from transforms.mappings.problems import DocumentLocation, suggest, toml_text
from transforms.schemas import ENTITIES

JOIN, RACES, OPTIONAL = "join", "races", "optional"
# The fields of `File` and `Rows` that are keys with the same name.
FILE = ("name", "names", "needed", "ignored", "aliases")
ROWS = ("where", "given", "derived", "repeats", "each", "presumed")


def read_file(table: Any, place: DocumentLocation, reader: TableReader) -> File | None:
    """Read a `[[file]]` with its rows and joins; None if there are problems."""
    if not is_table(table, place):
        return None
    known = [*FILE, OPTIONAL, JOIN, *ENTITIES]
    settings = read_fields(File, FILE, table, place, reader, known)
    optional: Any = ()
    if OPTIONAL in table:
        optional = read_value(table[OPTIONAL], tuple[str, ...], place.at(OPTIONAL), reader)
    joins = [_join(one, here, reader) for one, here in _tables(table, JOIN, place)]
    rows = [
        _rows(name, one, here, reader)
        for name in ENTITIES
        for one, here in _tables(table, name, place)
    ]
    if settings is None or optional is None or None in joins or None in rows:
        return None
    return File(gives=tuple(filter(None, rows)), joins=tuple(filter(None, joins)), **settings)


def is_table(value: Any, place: DocumentLocation) -> bool:
    """Whether a value is a table; adds a problem if it is not."""
    if not isinstance(value, dict):
        place.wrong(f"is {toml_text(value)}; expected a table.")
    return isinstance(value, dict)


def read_fields(
    kind: type,
    names: tuple[str, ...],
    table: dict[str, Any],
    place: DocumentLocation,
    reader: TableReader,
    known: list[str],
) -> dict[str, Any] | None:
    """Read the fields of a dataclass with these names; None if there are problems.

    A key that is not `known`, and a required field that is missing, are problems.
    """
    hints, before = get_type_hints(kind), len(place.problems)
    for key in table:
        if key not in known:
            place.at(key).wrong(f"is no key of this table: {suggest(key, known)}")
    for one in fields(kind):
        if (
            one.name in names
            and one.name not in table
            and one.default is MISSING
            and one.default_factory is MISSING
        ):
            place.wrong(f"lacks `{one.name}`. Add it.")
    values = {
        name: read_value(table[name], hints[name], place.at(name), reader)
        for name in names
        if name in table
    }
    return values if len(place.problems) == before else None


def _tables(
    table: dict[str, Any], name: str, place: DocumentLocation
) -> Iterator[tuple[Any, DocumentLocation]]:
    """The tables with one name: the items of a list, or a single table."""
    value = table.get(name, [])
    if isinstance(value, list):
        yield from ((one, place.at(name, number)) for number, one in enumerate(value))
    else:
        yield value, place.at(name)


def _join(table: Any, place: DocumentLocation, reader: TableReader) -> Join | None:
    if not is_table(table, place):
        return None
    names = tuple(one.name for one in fields(Join))
    values = read_fields(Join, names, table, place, reader, list(names))
    return None if values is None else Join(**values)


def _rows(entity: str, table: Any, place: DocumentLocation, reader: TableReader) -> Rows | None:
    """Read the rows of one entity: fields of `Rows`, and a cell for each column."""
    if not is_table(table, place):
        return None
    columns = {column.name for column in ENTITIES[entity].current}
    cells = {
        key: one for key, one in table.items() if key in columns or key.startswith("metadata.")
    }
    race_cells = _races(table, place, reader) if entity == "demographics" and RACES in table else {}
    known = [*ROWS, *cells, *columns, *([RACES] if entity == "demographics" else [])]
    others = {key: one for key, one in table.items() if key not in cells}
    settings = _row_settings(others, place, reader, known)
    read_cells = {key: read_cell(one, place.at(key), reader) for key, one in cells.items()}
    if settings is None or race_cells is None or None in read_cells.values():
        return None
    filled = {key: one for key, one in read_cells.items() if one}
    return Rows(entity, {**filled, **race_cells}, **settings)


def _row_settings(
    table: dict[str, Any], place: DocumentLocation, reader: TableReader, known: list[str]
) -> dict[str, Any] | None:
    """Read the fields of `Rows`; None if there are problems."""
    where = None
    if "where" in table:
        where = read_cell(table["where"], place.at("where"), reader.of_conditions)
    others = {key: one for key, one in table.items() if key != "where"}
    values = read_fields(Rows, ROWS, others, place, reader, known)
    if values is None or ("where" in table and where is None):
        return None
    return {**values, "where": where}


def _races(
    table: dict[str, Any], place: DocumentLocation, reader: TableReader
) -> dict[str, Cell] | None:
    """The columns of demographics that are read from one column with races."""
    races_cell = read_cell(table[RACES], place.at(RACES), reader)
    return None if races_cell is None else races(races_cell)


EXPECTED = {
    str: "a text in quotes",
    bool: "true or false without quotes",
    int: "a whole number without quotes",
}


@dataclass(frozen=True)
class TableReader:
    """How values are read."""

    date_order: str = ""  # of dates without an `order`
    words: Mapping[str, Word] = field(default_factory=lambda: CELLS)  # the functions to use

    @property
    def of_conditions(self) -> TableReader:
        """The reader for conditions."""
        return replace(self, words=CONDITIONS)

    @property
    def expected(self) -> str:
        """What a cell may look like, for messages."""
        if self.words is CONDITIONS:
            return 'a condition, such as {filled = "Email"}'
        return 'a column in quotes, or a word in braces, such as {constant = "student"}'


def read_value(value: Any, kind: Any, place: DocumentLocation, reader: TableReader) -> Any:
    """Read a value of a type; None if there are problems."""
    if get_origin(kind) in (Union, UnionType):
        options = [one for one in get_args(kind) if one is not NoneType]
        kind = Cell if Cell in options else options[0]
    if kind is Cell:
        return read_cell(value, place, reader)
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return _read_choice(value, [one for one in inner if one], place)
    if origin is tuple:
        return read_list(value, inner[0], place, reader)
    if origin is not None:
        return _read_table(value, inner[1], place, reader)
    if type(value) is not kind or value == "":
        place.wrong(f"is {toml_text(value)}; expected {EXPECTED[kind]}.")
        return None
    return value


def read_list(
    value: Any, kind: Any, place: DocumentLocation, reader: TableReader
) -> tuple[Any, ...] | None:
    """Read a list, or a single value as a list of one; None if there are problems."""
    if not isinstance(value, list):
        value = [value]
    if not value:
        place.wrong("is an empty list; leave the key out, or name what belongs there.")
        return None
    items = tuple(
        read_value(one, kind, place.at(number), reader) for number, one in enumerate(value)
    )
    return None if None in items else items


def _read_choice(value: Any, choices: list[str], place: DocumentLocation) -> Any:
    if value not in choices:
        place.wrong(f"is {toml_text(value)}: {suggest(str(value), choices)}")
        return None
    return value


def _read_table(
    value: Any, kind: Any, place: DocumentLocation, reader: TableReader
) -> dict[str, Any] | None:
    if not isinstance(value, dict) or not value:
        place.wrong(
            f"is {toml_text(value)}; expected a table that is not empty, such as {{key = ...}}."
        )
        return None
    values = {key: read_value(one, kind, place.at(key), reader) for key, one in value.items()}
    return None if None in values.values() else values


def read_cell(value: Any, place: DocumentLocation, reader: TableReader) -> Cell | None:
    """Read a cell: a text is a column, a table is a function with its arguments."""
    if isinstance(value, str) and value and reader.words is CELLS:
        return text(value)
    if not isinstance(value, dict) or not value:
        place.wrong(f"is {toml_text(value)}; expected {reader.expected}.")
        return None
    words = [key for key in value if key in reader.words]
    if len(words) > 1:
        place.wrong(f"says {' and '.join(words)} at once. Keep one of them.")
        return None
    if not words:
        place.wrong(_without_word(next(iter(value)), reader))
        return None
    return _call(words[0], value, place, reader)


def _without_word(key: str, reader: TableReader) -> str:
    """Describe a table without a function: name those that take its first key, or similar names."""
    takers = [
        name
        for name, word in reader.words.items()
        if key in [one.name for one in parameters_of(word)[1:]]
    ]
    if takers:
        return f"has {key!r}, and not the word that takes it. Add `{'` or `'.join(takers)}`."
    return f"says {key!r}, which is no word here: {suggest(key, reader.words)}"


def _call(
    name: str, table: dict[str, Any], place: DocumentLocation, reader: TableReader
) -> Cell | None:
    """Call a function; its first argument is at the function's name, the others at their own."""
    word = reader.words[name]
    keys = {
        name if number == 0 else one.name: one for number, one in enumerate(parameters_of(word))
    }
    allowed = [*keys] or [name]
    before = len(place.problems)
    for key in table:
        if key not in allowed:
            place.at(key).wrong(f"is nothing that {name} takes: {suggest(key, allowed)}")
    values = {one.name: _argument(key, one, table, place, reader) for key, one in keys.items()}
    if not keys and table[name] is not True:
        place.at(name).wrong(
            f"is {toml_text(table[name])}; expected true, as this word takes no column."
        )
    if len(place.problems) > before:
        return None
    return call_word(word, {name: value for name, value in values.items() if value is not None})


def _argument(
    key: str,
    one: WordParameter,
    table: dict[str, Any],
    place: DocumentLocation,
    reader: TableReader,
) -> Any:
    if key in table:
        return read_value(table[key], one.kind, place.at(key), reader)
    if one.name == "order":
        if not reader.date_order:
            place.wrong(
                "reads a date, and nothing says in which order its parts are. "
                'Add `date_order = "mdy"`, "dmy" or "ymd" to [layout].'
            )
        return reader.date_order
    if not one.optional:
        place.wrong(f"lacks `{key}`. Add it.")
    return None


# A function of `layouts.expressions`.
Word = Callable[..., Cell]

CELLS: dict[str, Word] = {
    word.__name__: word
    for word in (
        expressions.text,
        expressions.constant,
        expressions.district,
        expressions.first,
        expressions.joined,
        expressions.given,
        expressions.lowered,
        expressions.texts,
        expressions.one_of,
        expressions.derived,
        expressions.derived_each,
        expressions.digested,
        expressions.digested_each,
        expressions.iso_date,
        expressions.utc_date,
        expressions.day_after,
        expressions.birth_date,
        expressions.grades,
        expressions.yes_no,
        expressions.sex,
        expressions.org_type,
        expressions.role,
        expressions.class_role,
        expressions.status,
        expressions.user_ids,
        expressions.given_name,
        expressions.family_name,
    )
}
CONDITIONS: dict[str, Word] = {
    word.__name__: word
    for word in (
        expressions.filled,
        expressions.either,
        expressions.blank,
        expressions.both,
        expressions.is_any,
        expressions.is_none,
    )
}


@dataclass(frozen=True)
class WordParameter:
    """One parameter of a function."""

    name: str
    kind: Any  # its type
    optional: bool
    spread: str = ""  # `*` or `**`, as in its declaration


@cache
def parameters_of(word: Word) -> tuple[WordParameter, ...]:
    """Return the parameters of a function in their order."""
    hints = get_type_hints(word)
    return tuple(_argument_of(one, hints[one.name]) for one in signature(word).parameters.values())


def _argument_of(parameter: Parameter, hint: Any) -> WordParameter:
    if parameter.kind is Parameter.VAR_POSITIONAL:
        return WordParameter(parameter.name, tuple[hint, ...], False, "*")
    if parameter.kind is Parameter.VAR_KEYWORD:
        return WordParameter(parameter.name, Mapping[str, hint], False, "**")
    return WordParameter(parameter.name, hint, parameter.default is not Parameter.empty)


def call_word(word: Word, values: Mapping[str, Any]) -> Cell:
    """Call a function with values for its parameters."""
    by_position: list[Any] = []
    by_name: dict[str, Any] = {}
    for one in parameters_of(word):
        if one.name not in values:
            continue
        if one.spread == "*":
            by_position += values[one.name]
        elif one.spread == "**":
            by_name |= values[one.name]
        elif one.optional:
            by_name[one.name] = values[one.name]
        else:
            by_position.append(values[one.name])
    return word(*by_position, **by_name)
