"""Constructors of columns, one for each kind: the entities in `schemas/` are declared with them."""

from __future__ import annotations

from dataclasses import replace

from transforms.schemas.entity import EVERY_VERSION, Column, DayEdge, Version
from transforms.schemas.vocabularies import STATUS

Versions = frozenset[Version]


def text(
    name: str,
    description: str,
    *,
    required: bool = False,
    strictly: bool = False,
    secret: bool = False,
    versions: Versions = EVERY_VERSION,
    aliases: tuple[str, ...] = (),
    json: str = "",
) -> Column:
    """Declare free text; `strictly` marks what the standard requires and the target does not."""
    return Column(
        name,
        "text",
        description,
        required,
        strictly,
        secret=secret,
        versions=versions,
        aliases=aliases,
        json=json,
    )


def texts(
    name: str,
    description: str,
    *,
    required: bool = False,
    versions: Versions = EVERY_VERSION,
    aliases: tuple[str, ...] = (),
) -> Column:
    """Declare a list of texts, separated by commas."""
    return Column(name, "texts", description, required, versions=versions, aliases=aliases)


def enum(
    name: str,
    values: tuple[str, ...],
    description: str,
    *,
    required: bool = False,
    extensible: bool = False,
    versions: Versions = EVERY_VERSION,
) -> Column:
    """Declare one token of a vocabulary; `extensible` allows `ext:` tokens too."""
    return Column(
        name, "enum", description, required, values=values, extensible=extensible, versions=versions
    )


def enums(name: str, values: tuple[str, ...], description: str) -> Column:
    """Declare a list of tokens of an extensible vocabulary."""
    return Column(name, "enums", description, values=values, extensible=True)


def boolean(
    name: str, description: str, *, required: bool = False, versions: Versions = EVERY_VERSION
) -> Column:
    """Declare `true` or `false`, in lower case."""
    return Column(
        name, "boolean", description, required, values=("true", "false"), versions=versions
    )


def date(
    name: str,
    description: str,
    *,
    required: bool = False,
    aliases: tuple[str, ...] = (),
    moment: DayEdge = "",
) -> Column:
    """Declare a calendar day, `YYYY-MM-DD`; `moment` is set if the target wants a timestamp."""
    return Column(name, "date", description, required, aliases=aliases, moment=moment)


def year(name: str, description: str) -> Column:
    """Declare a year, `YYYY`, always required."""
    return Column(name, "year", description, required=True)


def integer(name: str, description: str, *, versions: Versions = EVERY_VERSION) -> Column:
    """Declare a whole number in base 10. The REST binding, which targets have, lets it be any."""
    return Column(name, "integer", description, versions=versions, rest="number")


def number(name: str, description: str) -> Column:
    """Declare a decimal number in base 10."""
    return Column(name, "number", description)


def reference(
    name: str,
    refers: str,
    description: str,
    *,
    required: bool = False,
    types: tuple[str, ...] = (),
    versions: Versions = EVERY_VERSION,
    aliases: tuple[str, ...] = (),
    json: str = "",
) -> Column:
    """Declare the `sourcedId` of a record of another file; `types` limits the record's `type`."""
    return Column(
        name,
        "reference",
        description,
        required,
        refers=refers,
        refers_types=types,
        versions=versions,
        aliases=aliases,
        json=json,
    )


def references(
    name: str,
    refers: str,
    description: str,
    *,
    required: bool = False,
    versions: Versions = EVERY_VERSION,
    aliases: tuple[str, ...] = (),
) -> Column:
    """Declare a list of `sourcedId`s of records of another file."""
    return Column(
        name, "references", description, required, refers=refers, versions=versions, aliases=aliases
    )


def ours(column: Column) -> Column:
    """Declare a column of our own in one of the standard's files.

    Its name must begin with `metadata.`, as in `ours(text("metadata.house", "..."))`. The column is
    read, checked and sent as `metadata`. A drop need not have it, and an export leaves it out.
    """
    return replace(column, standard=False)


def lifecycle(
    description: str, *, refers: str | None = None, aliases: tuple[str, ...] = ()
) -> tuple[Column, ...]:
    """Declare the three columns that every file begins with."""
    return (
        Column("sourcedId", "guid", description, required=True, refers=refers, aliases=aliases),
        Column(
            "status",
            "enum",
            "Blank in bulk files; `active` or `tobedeleted` in delta files.",
            values=STATUS,
        ),
        Column(
            "dateLastModified",
            "datetime",
            "Blank in bulk files; when the row last changed, in UTC, in delta files.",
            aliases=("dataLastModified", "datLastModified"),
        ),
    )
