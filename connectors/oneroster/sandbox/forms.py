"""What records of each collection consist of, worked out once from the schemas and the profile.

Source: API reference, section 8 (properties that the target adds) and appendices A and B.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from connectors.oneroster.profile import Collection
from transforms.payload import folded, part_property
from transforms.schemas import ENTITIES, Column

COMMON = ("sourcedId", "status", "dateLastModified", "metadata")
# An enrollment has the school and the course of its class, whatever was written (section 8).
OF_CLASS = {"enrollments": ("school", "course")}
# Dates of sessions are time stamps in the API's database (section 8).
TIMESTAMPS = frozenset({"academicSessions"})
REFERRED = {one.singular: name for name, one in ENTITIES.items() if not one.folds_into} | {
    "gradingPeriod": "academicSessions"
}
# Reads of these tell their children (appendix B).
TREES = frozenset({"orgs", "academicSessions"})


@dataclass(frozen=True)
class Form:
    """The properties of a collection's records.

    `columns` are those of reads, `written` those of writes, each under the name that it has there; `standard` gives
    the names of the former for the latter. `parts` hold lists of folded records, and `tree` is true
    if records have a parent of their own kind.
    """

    columns: Mapping[str, Column]
    written: Mapping[str, Column]
    standard: Mapping[str, str]
    parts: tuple[str, ...]
    derived: tuple[str, ...]
    tree: bool
    timestamps: frozenset[str]
    refers: str | None

    @property
    def properties(self) -> set[str]:
        """The properties that a filter or a sort may name."""
        return {*COMMON, *self.columns, *self.parts}

    def column(self, name: str) -> Column | None:
        """The column whose one value `name` is: a property, or the id of a reference; None if it has many."""
        whole, _, inner = name.partition(".")
        column = self.columns.get(whole)
        return column if column and not column.is_list and inner in ("", "sourcedId") else None


@cache
def form_of(collection: Collection) -> Form:
    """Work out the form of a collection's records."""
    entity = collection.entity
    declared = [
        column for column in entity.columns if column.standard and (not column.versions or "1.2" in column.versions)
    ]
    own = {column.json: column for column in declared if column.json not in COMMON and not column.secret}
    more = (*collection.extra, *(twin for _, twin in collection.twins))
    own |= {name: _extra(name) for name in more if name not in own}
    derived = OF_CLASS.get(entity.name, ())
    columns = own | {column.json: column for column in ENTITIES["classes"].columns if column.json in derived}
    renamed = dict(collection.written_as)
    standard = {renamed.get(name, name): name for name in own if name not in derived}
    return Form(
        columns=columns,
        written={name: columns[read] for name, read in standard.items()},
        standard=standard,
        parts=tuple(part_property(part) for part in folded(entity).values() if not part.single),
        derived=derived,
        tree=entity.name in TREES,
        timestamps=frozenset(name for name, column in own.items() if _is_timestamp(entity.name, column)),
        refers=entity["sourcedId"].refers,
    )


def _extra(name: str) -> Column:
    """A property that the standard does not have: a reference if it is named as a kind of record, else text."""
    if refers := REFERRED.get(name):
        return Column(f"{name}SourcedId", "reference", "Only this target has it.", refers=refers)
    return Column(name, "text", "Only this target has it.")


def _is_timestamp(entity: str, column: Column) -> bool:
    return bool(column.moment) or (entity in TIMESTAMPS and column.kind == "date")
