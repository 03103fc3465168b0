"""Ids that the source changed: records keep the ids with which the target knows them.

A layout may have a file for changed ids. The source lists a change once, and uses only the new id
from then on.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import polars as pl

from transforms.findings import Findings, file_finding, row_findings
from transforms.layouts.assemble import EntityRows, RowsByEntity
from transforms.layouts.ids import escape, escape_source_id, in_source_ids
from transforms.layouts.layout import Layout
from transforms.layouts.match import LayoutMatch
from transforms.layouts.options import ReadingOptions
from transforms.renamed_ids import RenamedIds, by_entity, new_renames, problem_in, with_old
from transforms.schemas import ENTITIES
from transforms.schemas.entity import GIVEN_UP

# Written behind an id that belongs to another record now, so that its row is rejected.


@dataclass(frozen=True)
class RestoredIds:
    """The result of `restore_old_ids`."""

    parts: RowsByEntity  # with the ids that records had first
    renamed: RenamedIds = field(default_factory=dict)  # the changes that this drop lists
    findings: tuple[Findings, ...] = ()


def restore_old_ids(
    parts: RowsByEntity, layout: Layout, match: LayoutMatch, dialect: ReadingOptions
) -> RestoredIds:
    """Replace changed ids by the old ones, before other ids are made from them.

    The changes are those that this drop lists, and those known from earlier drops.
    """
    known = in_source_ids(dialect.renamed, dialect.prefix)
    changes = match.files.get(layout.renames)
    if changes is None or not changes.frame.height:
        return _restore_ids(parts, layout, known)
    prepared = layout.prepare({layout.renames: changes.frame}, dialect)
    ids = replace(changes.raw, frame=prepared[layout.renames])
    if problem := problem_in(ids):
        return RestoredIds(parts, findings=(file_finding("ids_unclear", "", problem),))
    new = new_renames(ids.frame, known)
    finding = file_finding("ids_changed", ids.name, count=ids.frame.height)
    restored = _restore_ids(parts, layout, {**known, **new})
    renamed = {  # as the target knows them
        (entity, escape_source_id(one)): escape_source_id(was) for (entity, one), was in new.items()
    }
    return replace(restored, renamed=renamed, findings=(finding, *restored.findings))


def _restore_ids(parts: RowsByEntity, layout: Layout, renamed: RenamedIds) -> RestoredIds:
    if not renamed:
        return RestoredIds(parts)
    made = {
        (entity, f"{kind}/{escape(new)}"): f"{kind}/{escape(was)}"
        for entity, (kind, of) in layout.made.items()
        for (name, new), was in renamed.items()
        if name == of
    }
    # A record with an id that another record had before is not that record. The row is rejected for
    # the text that replaces the id.
    given_up = {(name, was) for (name, _), was in renamed.items()} - renamed.keys()
    replacements = by_entity(
        {**renamed, **made, **{(name, was): f"{was}{GIVEN_UP}" for name, was in given_up}}
    )
    findings = [
        row_findings(
            "id_given_up",
            rows,
            file=parts[name].file,
            entity=name,
            column="sourcedId",
            value="sourcedId",
        )
        for name in {name for name, _ in given_up} & parts.keys()
        if (rows := _rows_with(parts[name], {was for one, was in given_up if one == name})).height
    ]
    restored = {
        name: part.having(with_old(part.frame, ENTITIES[name], replacements))
        for name, part in parts.items()
    }
    return RestoredIds(restored, findings=tuple(findings))


def _rows_with(part: EntityRows, ids: set[str]) -> pl.DataFrame:
    return part.frame.filter(pl.col("sourcedId").is_in(sorted(ids)))
