"""Infer the mapping of an export that is almost OneRoster: only names that differ stand in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import PurePath

from transforms.binding.headers import CLOSE, match_header
from transforms.binding.manifest import FILE as MANIFEST
from transforms.binding.manifest import read_manifest
from transforms.binding.names import comparable_name
from transforms.infer_mapping.draft import DraftLine, FileDraft, toml_key, toml_string
from transforms.infer_mapping.spellings import (
    CLASSES,
    COURSES,
    ENROLLMENTS,
    NAMES,
    SCHOOLS,
    TERMS,
    Spellings,
    meaning_of,
)
from transforms.renamed_ids import FILE as IDS
from transforms.roster import Raw, RawFile
from transforms.schemas import ENTITIES, Entity
from transforms.schemas.entity import Version

LIKE = 0.6  # the share of a file's columns that are the standard's
WORDS: dict[str, Spellings] = {
    "users": NAMES, "classes": CLASSES, "courses": COURSES, "enrollments": ENROLLMENTS,
    "orgs": SCHOOLS, "academicSessions": TERMS, "demographics": NAMES,
}  # fmt: skip


@dataclass(frozen=True)
class NearStandard:
    """The files of a drop whose names, or whose columns, differ from the standard's."""

    files: list[FileDraft]
    holds: dict[str, str]  # file -> the standard's name, blank if unknown


def find_differences(raw: Raw) -> NearStandard:
    """Find the files and columns that have other names than the standard's."""
    manifest, _ = read_manifest(raw, strict=False)
    called = {name: _entity_called(name) for name in sorted(raw.files)}
    free = [one for one in ENTITIES.values() if one.standard and one.name not in called.values()]
    drafts: list[FileDraft] = []
    holds: dict[str, str] = {}
    for name, file in sorted(raw.files.items()):
        if name.casefold() in (MANIFEST, IDS):
            continue
        found = called[name]
        entity = ENTITIES[found] if found else _most_alike(file, free, manifest.version)
        holds[name] = entity.name if entity else ""
        if entity is None:
            continue
        lines = [] if found else [_names_line(name, entity)]
        lines += _alias_lines(entity, file, manifest.version)
        if lines:
            why = (
                f"its columns are those of {entity.file}"
                if not found
                else "its name is OneRoster's"
            )
            drafts.append(FileDraft(entity.file, f"{name}: {why}", tuple(lines)))
    return NearStandard(drafts, holds)


def _entity_called(name: str) -> str:
    stem = PurePath(name).stem.casefold()
    return next(
        (
            one.name
            for one in ENTITIES.values()
            if stem in (known.casefold() for known in (one.name, *one.aliases))
        ),
        "",
    )


def _most_alike(file: RawFile, free: Sequence[Entity], version: Version) -> Entity | None:
    """Return the one entity of which a file has most columns; None if there is none.

    The id may have another name, if the file has a column that only OneRoster has.
    """
    alike: dict[str, int] = {}
    for entity in free:
        columns = set(match_header(entity, file.name, file.header, version, False).columns.values())
        own = columns - {"sourcedId", "status", "dateLastModified"}
        of_oneroster = not columns.isdisjoint({"sourcedId", "dateLastModified"})
        if of_oneroster and own and len(columns) >= LIKE * len(file.header):
            alike[entity.name] = len(columns)
    best = max(alike.values(), default=0)
    names = [name for name, count in alike.items() if count == best]
    return ENTITIES[names[0]] if len(names) == 1 else None


def _names_line(name: str, entity: Entity) -> DraftLine:
    stem = PurePath(name).stem
    return DraftLine("names", f"[{toml_string(stem)}]", f"most of its columns are {entity.name}'s")


def _alias_lines(entity: Entity, file: RawFile, version: Version) -> list[DraftLine]:
    """Return a line for each missing column that another column is, or may be."""
    match = match_header(entity, file.name, file.header, version, False)
    read = set(match.columns.values())
    unread = [cell for cell in file.header if cell and cell not in match.columns]
    missing = [entity[name] for name in entity.header(version) if name not in read]
    lines = []
    for column in missing:
        near = [cell for cell in unread if _is_near(cell, column.name, entity)]
        if len(near) == 1 and _only_near(
            near[0], column.name, entity, [one.name for one in missing]
        ):
            why = f"no column is called so, and {near[0]!r} is no other column of the standard"
            lines.append(_alias_line(column.name, near[0], why, open_=False))
        elif column.required:
            rest = f"; not read: {', '.join(unread)}" if unread else ""
            why = f"which column is it? Each record needs it{rest}"
            lines.append(_alias_line(column.name, "", why, open_=True))
    return lines


def _alias_line(column: str, cell: str, why: str, *, open_: bool) -> DraftLine:
    return DraftLine(f"aliases.{toml_key(column)}", toml_string(cell), why, open=open_)


def _only_near(cell: str, column: str, entity: Entity, missing: list[str]) -> bool:
    return [one for one in missing if _is_near(cell, one, entity)] == [column]


def _is_near(cell: str, column: str, entity: Entity) -> bool:
    """Whether a name is nearly a column's, or a common word for it."""
    if meaning_of(cell, WORDS.get(entity.name, {})) == column:
        return True
    one, other = comparable_name(cell), comparable_name(column)
    return SequenceMatcher(None, one, other).ratio() >= CLOSE
