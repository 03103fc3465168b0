"""The data dictionary, in Markdown: every file and column, its rules, and its place in JSON."""

from __future__ import annotations

from collections.abc import Iterator

from transforms.payload import part_property, parts_by_name
from transforms.schemas import ENTITIES, Column, Entity
from transforms.schemas.entity import EVERY_VERSION, NO_VERSION, Version

HEAD = """# Data dictionary

Every file and column of OneRoster that roster reads, its rules, and its place in the JSON of the \
API. `make dictionary` writes this page from `transforms/schemas/`; change it there.

Every file ends in its `metadata.*` columns, if it has any. Dotted names nest, and numbers, \
booleans and JSON keep their type. Lists are separated by commas.

The column *versions* names the versions of the OneRoster CSV binding whose header has the column. \
Blank means all of them; `target` means that only the target's binding has it; `ours` that \
OneRoster does not have it, and an export leaves it out.
"""
ORDER: tuple[Version, ...] = ("1.0", "1.1", "1.2.0", "1.2")
HEADER = (
    "| column | type | required | rule | JSON | versions | meaning |\n|---|---|---|---|---|---|---|"
)


def dictionary_page() -> str:
    """Return the dictionary as one page of Markdown."""
    return "\n".join([HEAD, *(line for entity in ENTITIES.values() for line in _section(entity))])


def _section(entity: Entity) -> Iterator[str]:
    origin = "" if entity.standard else "Not in the standard. "
    yield f"## {entity.file}\n"
    yield f"{entity.description} {origin}{_place_in_json(entity)}\n"
    yield HEADER
    for column in entity.columns:
        yield _row(column)
    for rule in entity.rules:
        yield f"\nRule `{rule.rule}`, reported at `{rule.column}`."
    yield ""


def _place_in_json(entity: Entity) -> str:
    if entity.folds_into:
        owner = ENTITIES[entity.folds_into]
        return f"In JSON: `{owner.singular}.{part_property(entity)}`."
    parts = ", ".join(
        f"`{part_property(part)}` from {part.file}" for part in parts_by_name(entity).values()
    )
    return f"In JSON: `{entity.singular}`{f', with {parts}' if parts else ''}."


def _row(column: Column) -> str:
    required = "yes" if column.required else "strictly" if column.required_strict else ""
    json = "" if column.secret else f"`{column.json}`"
    cells = (
        f"`{column.name}`",
        column.kind,
        required,
        _rule(column),
        json,
        _versions(column),
        column.description,
    )
    return f"| {' | '.join(cells)} |"


def _rule(column: Column) -> str:
    facts = []
    if column.values:
        facts.append(", ".join(column.values) + (", `ext:…`" if column.extensible else ""))
    if column.refers:
        types = f" of type {', '.join(column.refers_types)}" if column.refers_types else ""
        facts.append(f"→ {column.refers}{types}")
    if column.moment:
        facts.append(f"sent as the {column.moment} of the day")
    return "; ".join(facts)


def _versions(column: Column) -> str:
    if not column.standard:
        return "ours"
    if column.versions == NO_VERSION:
        return "target"
    if column.versions == EVERY_VERSION:
        return ""
    return ", ".join(version for version in ORDER if version in column.versions)
