"""Records as they are kept: under the names of reads, references by id, in the spelling of reads.

Source: API reference, section 8.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from connectors.oneroster.profile import Collection
from connectors.oneroster.sandbox.forms import form_of
from connectors.oneroster.sandbox.store import Store
from transforms.carrying import TargetVocabulary
from transforms.payload import Json
from transforms.schemas import Column

# What the database fills in; a class without a type is read with one (appendix B), which one is a guess.
DEFAULTS: dict[str, Json] = {"enrollments": {"primary": "false"}, "classes": {"classType": "scheduled"}}


def kept(collection: Collection, written: Json, vocabulary: TargetVocabulary) -> Json:
    """Turn what was written, and was found fit, into what is kept; properties that are not known are ignored."""
    form = form_of(collection)
    record: Json = {name: written[name] for name in ("status", "metadata", *form.parts) if name in written}
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
        whole[name] = _laid_over(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return whole


def derived(collection: Collection, record: Json, store: Store) -> Json:
    """Add what a record has from its class (section 8), so that filters find it."""
    if not (names := form_of(collection).derived):
        return record
    group = store.get("classes", record["class"]["sourcedId"]) or {}
    return record | {name: group.get(name) for name in names}
