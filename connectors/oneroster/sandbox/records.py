"""Records as they are kept: under the names of reads, references by id, in the spelling of reads.

Source: API reference, section 8.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from connectors.oneroster.profile import Collection
from connectors.oneroster.sandbox.store import SandboxStore
from transforms.payload import Json, folded, part_property
from transforms.schemas import ENTITIES, Column
from transforms.target_vocabulary import TargetVocabulary

# What the database fills in; a class without a type is read with one (appendix B), which one is a guess.
DEFAULTS: dict[str, Json] = {
    "enrollments": {"primary": "false"},
    "classes": {"classType": "scheduled"},
}


def kept(collection: Collection, written: Json, vocabulary: TargetVocabulary) -> Json:
    """Turn what was written, and was found fit, into what is kept; properties that are not known are ignored."""
    form = form_of(collection)
    record: Json = {
        name: written[name] for name in ("status", "metadata", *form.parts) if name in written
    }
    for name, standard in form.standard.items():
        if name in written:
            record[standard] = _value(form.written[name], written[name], vocabulary)
            if standard in form.timestamps and record[standard]:
                record[standard] = timestamp(record[standard])
    for name, twin in collection.twins:
        if name in written:
            record[twin] = record[name]
    return record


def _value(column: Column, value: Any, vocabulary: TargetVocabulary) -> Any:
    if value is None:
        return None
    if column.kind == "reference":
        return {"sourcedId": value["sourcedId"]}
    if column.kind == "references":
        return [{"sourcedId": item["sourcedId"]} for item in value]
    if column.kind == "boolean":
        return str(value).lower()
    # Where grades are numbers, leading zeros go.
    numbers = column.name == "grades" and "grades" in vocabulary.words
    return [str(int(grade)) for grade in value] if numbers else value


def timestamp(day: str) -> str:
    """Spell a date or a date-time as the API's database does: `2024-01-01T00:00:00.000Z`."""
    moment = datetime.fromisoformat(day)
    moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def merged(before: Json, changes: Json) -> Json:
    """Lay changes over a record: properties are replaced, `metadata` is merged, the rest stays (section 2.4)."""
    if isinstance(metadata := changes.get("metadata"), dict):
        changes = {**changes, "metadata": _laid_over(before.get("metadata") or {}, metadata)}
    return {**before, **changes}


def _laid_over(before: Json, changes: Json) -> Json:
    whole = dict(before)
    for name, value in changes.items():
        inner = whole.get(name)
        whole[name] = (
            _laid_over(inner, value)
            if isinstance(inner, dict) and isinstance(value, dict)
            else value
        )
    return whole


def derived(collection: Collection, record: Json, store: SandboxStore) -> Json:
    """Add what a record has from its class (section 8), so that filters find it."""
    if not (names := form_of(collection).derived):
        return record
    group = store.get("classes", record["class"]["sourcedId"]) or {}
    return record | {name: group.get(name) for name in names}


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
class RecordSchema:
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
def form_of(collection: Collection) -> RecordSchema:
    """Work out the form of a collection's records."""
    entity = collection.entity
    declared = [
        column
        for column in entity.columns
        if column.standard and (not column.versions or "1.2" in column.versions)
    ]
    own = {
        column.json: column
        for column in declared
        if column.json not in COMMON and not column.secret
    }
    more = (*collection.extra, *(twin for _, twin in collection.twins))
    own |= {name: _extra(name) for name in more if name not in own}
    derived = OF_CLASS.get(entity.name, ())
    columns = own | {
        column.json: column for column in ENTITIES["classes"].columns if column.json in derived
    }
    renamed = dict(collection.written_as)
    standard = {renamed.get(name, name): name for name in own if name not in derived}
    return RecordSchema(
        columns=columns,
        written={name: columns[read] for name, read in standard.items()},
        standard=standard,
        parts=tuple(part_property(part) for part in folded(entity).values() if not part.single),
        derived=derived,
        tree=entity.name in TREES,
        timestamps=frozenset(
            name for name, column in own.items() if _is_timestamp(entity.name, column)
        ),
        refers=entity["sourcedId"].refers,
    )


def _extra(name: str) -> Column:
    """A property that the standard does not have: a reference if it is named as a kind of record, else text."""
    if refers := REFERRED.get(name):
        return Column(f"{name}SourcedId", "reference", "Only this target has it.", refers=refers)
    return Column(name, "text", "Only this target has it.")


def _is_timestamp(entity: str, column: Column) -> bool:
    return bool(column.moment) or (entity in TIMESTAMPS and column.kind == "date")
