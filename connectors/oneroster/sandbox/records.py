"""Turn written records into stored ones: names and spelling of reads, references by id.

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
from transforms.payload import Json, part_property, parts_by_name
from transforms.schemas import ENTITIES, Column
from transforms.target_vocabulary import TargetVocabulary

# Defaults of the API's database. A class without a type has one in reads (appendix B); the value is
# our guess, as is the order of a component without one.
DEFAULTS: dict[str, Json] = {
    "enrollments": {"primary": "false"},
    "classes": {"classType": "scheduled"},
    "courseComponents": {"sortOrder": 0},
    "componentResources": {"sortOrder": 0},
}


def record_to_store(collection: Collection, written: Json, vocabulary: TargetVocabulary) -> Json:
    """Turn a valid write into the record to store. Unknown properties are ignored."""
    form = schema_of(collection)
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
    # If the vocabulary has grades as numbers, leading zeros are removed.
    numbers = column.name == "grades" and "grades" in vocabulary.words
    return [str(int(grade)) for grade in value] if numbers else value


def timestamp(day: str) -> str:
    """Spell a date or a date-time as the API's database does: `2024-01-01T00:00:00.000Z`."""
    time = datetime.fromisoformat(day)
    time = time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def merge_record(before: Json, changes: Json) -> Json:
    """Apply changes to a record: properties are replaced, `metadata` is merged (section 2.4)."""
    if isinstance(metadata := changes.get("metadata"), dict):
        changes = {**changes, "metadata": _merge_metadata(before.get("metadata") or {}, metadata)}
    return {**before, **changes}


def _merge_metadata(before: Json, changes: Json) -> Json:
    result = dict(before)
    for name, value in changes.items():
        inner = result.get(name)
        if isinstance(inner, dict) and isinstance(value, dict):
            result[name] = _merge_metadata(inner, value)
        else:
            result[name] = value
    return result


def add_derived(collection: Collection, record: Json, store: SandboxStore) -> Json:
    """Add the properties that a record gets from its class (section 8), so that filters find it."""
    if not (names := schema_of(collection).derived):
        return record
    group = store.get("classes", record["class"]["sourcedId"]) or {}
    return record | {name: group.get(name) for name in names}


COMMON = ("sourcedId", "status", "dateLastModified", "metadata")
# Enrollments get the school and the course of their class, whatever was written (section 8).
OF_CLASS = {"enrollments": ("school", "course")}
# The API's database stores the dates of these as timestamps (section 8).
TIMESTAMPS = frozenset({"academicSessions"})
# Collections by the name of a reference to one of their records.
COLLECTION_OF_REFERENCE = {
    entity.singular: name for name, entity in ENTITIES.items() if not entity.folds_into
} | {"gradingPeriod": "academicSessions"}
# Reads of these contain their children (appendix B).
TREES = frozenset({"orgs", "academicSessions"})


@dataclass(frozen=True)
class RecordSchema:
    """The properties of a collection's records."""

    columns: Mapping[str, Column]  # by the name in reads
    written: Mapping[str, Column]  # by the name in writes
    standard: Mapping[str, str]  # the name in reads by the name in writes
    parts: tuple[str, ...]  # properties that are lists of folded records
    derived: tuple[str, ...]  # properties that come from the record's class
    tree: bool  # whether records have a parent of their own kind
    timestamps: frozenset[str]
    refers: str | None  # the collection that has a record with the same id, if one must

    @property
    def properties(self) -> set[str]:
        """The properties that a filter or a sort may name."""
        return {*COMMON, *self.columns, *self.parts}

    def column(self, name: str) -> Column | None:
        """Return the column of a property or a reference's id, None if it can have many values."""
        whole, _, inner = name.partition(".")
        column = self.columns.get(whole)
        return column if column and not column.is_list and inner in ("", "sourcedId") else None


@cache
def schema_of(collection: Collection) -> RecordSchema:
    """Derive the schema of a collection's records from its entity and the target's profile."""
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
    own |= {name: _extra_column(name) for name in more if name not in own}
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
        parts=tuple(
            part_property(part) for part in parts_by_name(entity).values() if not part.single
        ),
        derived=derived,
        tree=entity.name in TREES,
        timestamps=frozenset(
            name for name, column in own.items() if _is_timestamp(entity.name, column)
        ),
        refers=entity["sourcedId"].refers,
    )


def _extra_column(name: str) -> Column:
    """Return the column of a property outside the standard.

    It is a reference if it has the name of a kind of record, otherwise text.
    """
    if refers := COLLECTION_OF_REFERENCE.get(name):
        return Column(f"{name}SourcedId", "reference", "Only this target has it.", refers=refers)
    return Column(name, "text", "Only this target has it.")


def _is_timestamp(entity: str, column: Column) -> bool:
    return bool(column.moment) or (entity in TIMESTAMPS and column.kind == "date")
