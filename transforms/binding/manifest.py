"""The manifest: which version of the standard a drop follows, and what each file is.

Source: OneRoster 1.2 CSV Binding, manifest (reference section 1.4); 1.1 (section 2).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from transforms.findings import Findings, of_file
from transforms.roster import Raw, RawFile
from transforms.schemas import ENTITIES
from transforms.schemas.entity import Version
from transforms.schemas.vocabularies import FILE_MODES

FILE = "manifest.csv"
HEADER = ("propertyName", "value")
VERSIONS: dict[str, Version] = {"1.1": "1.1", "1.2": "1.2", "1.2.1": "1.2"}
SOURCES = ("source.systemName", "source.systemCode")
# The 1.1 binding has 13 data files; these came with 1.2.
SINCE_1_2 = frozenset({
    "lineItemLearningObjectiveIds", "lineItemScoreScales", "resultLearningObjectiveIds", "resultScoreScales",
    "roles", "scoreScales", "userProfiles", "userResources",
})  # fmt: skip


@dataclass(frozen=True)
class Manifest:
    """What the manifest says: the version whose columns files have, and the mode of each entity's file."""

    version: Version = "1.0"
    modes: dict[str, str] = field(default_factory=dict)

    @property
    def says_no_updates(self) -> bool:
        """Whether every file is declared absent, which means that nothing changed."""
        return bool(self.modes) and set(self.modes.values()) == {"absent"}


def manifest_of(raw: Raw, strict: bool) -> tuple[Manifest, list[Findings]]:
    """Read the manifest of a drop; without one, it is OneRoster 1.0, or 1.2 if it has roles, which came with that."""
    name = next((name for name in raw.files if name.casefold() == FILE), None)
    if name is None:
        broken = any(name.casefold() == FILE for name in raw.broken)
        newer = any(name.casefold() == ENTITIES["roles"].file for name in raw.files)
        found = [] if broken else [of_file("manifest_missing", FILE, strict=strict)]
        return Manifest("1.2" if newer else "1.0"), found
    file = raw.files[name]
    rows, found = _rows(file, strict)
    found += _twice(rows)
    said = dict(rows)
    version, versions = _version(said, strict)
    modes, mode_findings = _modes(said, strict)
    found += [*versions, *mode_findings, *_properties(said, version, strict)]
    return Manifest(version, modes), found


def _rows(file: RawFile, strict: bool) -> tuple[list[tuple[str, str]], list[Findings]]:
    """Give the properties; 1.2's new ones are printed with a footnote mark, which some exports kept."""
    header = file.header
    cells = (
        [tuple(row) for row in file.frame.select(header[:2]).iter_rows()] if len(header) > 1 else []
    )
    found = (
        []
        if header == HEADER
        else [of_file("manifest_header", FILE, ",".join(header), strict=strict)]
    )
    if header and header[0] in _known():
        cells.insert(0, (header[0], header[1] if len(header) > 1 else ""))
    return [((key or "").strip().rstrip("*"), (value or "").strip()) for key, value in cells], found


def _known() -> set[str]:
    return {
        "manifest.version",
        "oneroster.version",
        *SOURCES,
        *(f"file.{name}" for name in ENTITIES),
    }


def _twice(rows: list[tuple[str, str]]) -> Iterator[Findings]:
    said: dict[str, set[str]] = {}
    for key, value in rows:
        said.setdefault(key, set()).add(value)
    return (
        of_file("manifest_property_twice", FILE, key)
        for key, values in said.items()
        if len(values) > 1
    )


def _version(said: dict[str, str], strict: bool) -> tuple[Version, list[Findings]]:
    found = []
    if (spelling := said.get("manifest.version")) not in (None, "1.0"):
        found.append(of_file("manifest_version_spelling", FILE, spelling or "", strict=strict))
    version = said.get("oneroster.version", "")
    if version not in VERSIONS:
        found.append(of_file("manifest_version", FILE, version or "oneroster.version is missing"))
    return VERSIONS.get(version, "1.2"), found


def _modes(said: dict[str, str], strict: bool) -> tuple[dict[str, str], list[Findings]]:
    modes, found = {}, []
    for name in ENTITIES:
        mode = said.get(f"file.{name}")
        if mode in FILE_MODES:
            modes[name] = mode
        elif mode == "":
            found.append(of_file("manifest_mode_blank", FILE, f"file.{name}", strict=strict))
        elif mode is not None:
            found.append(of_file("manifest_mode", FILE, f"file.{name} is {mode!r}"))
    return modes, found


def _properties(said: dict[str, str], version: Version, strict: bool) -> Iterator[Findings]:
    for key in said.keys() - _known():
        yield of_file("manifest_property", FILE, key, strict=strict)
    standard = [name for name, entity in ENTITIES.items() if entity.standard]
    files = {name for name in standard if version != "1.1" or name not in SINCE_1_2}
    required = {"manifest.version", "oneroster.version", *(f"file.{name}" for name in files)}
    for key in sorted(required - said.keys()):
        yield of_file("manifest_property_missing", FILE, key, strict=strict)
