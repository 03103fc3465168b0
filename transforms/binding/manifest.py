"""The manifest: the version of the standard that a drop follows, and the mode of each file.

Source: OneRoster 1.2 CSV Binding, manifest (reference section 1.4); 1.1 (section 2).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from transforms.binding.names import entity_of_file
from transforms.findings import Findings, file_finding
from transforms.roster import Raw, RawFile
from transforms.schemas import ENTITIES
from transforms.schemas.entity import ONLY_1_1, SINCE_1_1, Version
from transforms.schemas.entity import SINCE_1_2 as NEW_IN_1_2
from transforms.schemas.vocabularies import FILE_MODES

FILE = "manifest.csv"
HEADER = ("propertyName", "value")
VERSIONS: dict[str, Version] = {"1.1": "1.1", "1.2": "1.2", "1.2.1": "1.2"}
SOURCES = ("source.systemName", "source.systemCode")
# The 1.1 binding has 13 data files; these came with 1.2.
SINCE_1_2 = frozenset({
    "lineItemLearningObjectiveIds", "lineItemScoreScales", "resultLearningObjectiveIds",
    "resultScoreScales", "roles", "scoreScales", "userProfiles", "userResources",
})  # fmt: skip


@dataclass(frozen=True)
class Manifest:
    """The content of a drop's manifest."""

    version: Version = "1.0"  # the files have the columns of this version
    modes: dict[str, str] = field(default_factory=dict)  # the mode of each entity's file

    @property
    def says_no_updates(self) -> bool:
        """Whether the manifest declares every file absent, which means that nothing changed."""
        return bool(self.modes) and set(self.modes.values()) == {"absent"}


def read_manifest(raw: Raw, strict: bool) -> tuple[Manifest, list[Findings]]:
    """Read the manifest of a drop.

    Without a manifest, the files and columns say which version a drop follows.
    """
    name = next((name for name in raw.files if name.casefold() == FILE), None)
    if name is None:
        broken = any(name.casefold() == FILE for name in raw.broken)
        found = [] if broken else [file_finding("manifest_missing", FILE, strict=strict)]
        return Manifest(_version_of_columns(raw)), found
    file = raw.files[name]
    rows, found = _rows(file, strict)
    found += _contradictions(rows)
    properties = dict(rows)
    version, version_findings = _version(properties, strict)
    modes, mode_findings = _modes(properties, strict)
    found += [
        *version_findings,
        *mode_findings,
        *_property_names(properties, version, strict),
    ]
    return Manifest(version, modes), found


def _version_of_columns(raw: Raw) -> Version:
    """Return the oldest version that has every column of a drop.

    Columns that 1.2 has no more weigh heavier than those that only 1.2 has: a source may add them.
    """
    entities = {name: entity_of_file(name) for name in raw.files}
    versions = {
        ENTITIES[entity].by_name[cell].versions
        for name, entity in entities.items()
        if entity is not None
        for cell in raw.files[name].header
        if cell in ENTITIES[entity].by_name
    }
    if "roles" in entities.values() or (NEW_IN_1_2 in versions and ONLY_1_1 not in versions):
        return "1.2"
    return "1.1" if versions & {SINCE_1_1, NEW_IN_1_2} else "1.0"


def _rows(file: RawFile, strict: bool) -> tuple[list[tuple[str, str]], list[Findings]]:
    """Return the properties and their values, and report a wrong header.

    The standard prints the new properties of 1.2 with a footnote mark, `*`, and some exports kept
    it. A first line that names a property is data: the manifest then has no header.
    """
    header = file.header
    cells = (
        [tuple(row) for row in file.frame.select(header[:2]).iter_rows()] if len(header) > 1 else []
    )
    found = (
        []
        if header == HEADER
        else [file_finding("manifest_header", FILE, ",".join(header), strict=strict)]
    )
    if header and header[0] in _known_properties():
        cells.insert(0, (header[0], header[1] if len(header) > 1 else ""))
    return [((key or "").strip().rstrip("*"), (value or "").strip()) for key, value in cells], found


def _known_properties() -> set[str]:
    return {
        "manifest.version",
        "oneroster.version",
        *SOURCES,
        *(f"file.{name}" for name in ENTITIES),
    }


def _contradictions(rows: list[tuple[str, str]]) -> Iterator[Findings]:
    """Report properties that have several values."""
    values_of: dict[str, set[str]] = {}
    for key, value in rows:
        values_of.setdefault(key, set()).add(value)
    return (
        file_finding("manifest_property_twice", FILE, key)
        for key, values in values_of.items()
        if len(values) > 1
    )


def _version(properties: dict[str, str], strict: bool) -> tuple[Version, list[Findings]]:
    found = []
    if (spelling := properties.get("manifest.version")) not in (None, "1.0"):
        found.append(file_finding("manifest_version_spelling", FILE, spelling or "", strict=strict))
    version = properties.get("oneroster.version", "")
    if version not in VERSIONS:
        found.append(
            file_finding("manifest_version", FILE, version or "oneroster.version is missing")
        )
    return VERSIONS.get(version, "1.2"), found


def _modes(properties: dict[str, str], strict: bool) -> tuple[dict[str, str], list[Findings]]:
    modes, found = {}, []
    for name in ENTITIES:
        mode = properties.get(f"file.{name}")
        if mode in FILE_MODES:
            modes[name] = mode
        elif mode == "":
            found.append(file_finding("manifest_mode_blank", FILE, f"file.{name}", strict=strict))
        elif mode is not None:
            found.append(file_finding("manifest_mode", FILE, f"file.{name} is {mode!r}"))
    return modes, found


def _property_names(
    properties: dict[str, str], version: Version, strict: bool
) -> Iterator[Findings]:
    """Report properties that the standard does not know, and required ones that are missing."""
    for key in properties.keys() - _known_properties():
        yield file_finding("manifest_property", FILE, key, strict=strict)
    standard = [name for name, entity in ENTITIES.items() if entity.standard]
    files = {name for name in standard if version != "1.1" or name not in SINCE_1_2}
    required = {"manifest.version", "oneroster.version", *(f"file.{name}" for name in files)}
    for key in sorted(required - properties.keys()):
        yield file_finding("manifest_property_missing", FILE, key, strict=strict)
