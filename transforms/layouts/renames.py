"""Ids that the source changed: records keep the ids with which the target knows them.

A layout may have a file for changed ids. The source lists a change once, and uses only the new id
from then on.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import polars as pl

from transforms.findings import Findings, of_file, of_rows
from transforms.layouts.assemble import Part, Parts
from transforms.layouts.ids import written
from transforms.layouts.layout import Layout
from transforms.layouts.match import Matched
from transforms.renamed_ids import Renamed, by_entity, remembering, unclear, with_old
from transforms.schemas import ENTITIES


@dataclass(frozen=True)
class Renames:
    """The result of `with_old_ids`."""

    parts: Parts  # with the ids that records had first
    renamed: Renamed = field(default_factory=dict)  # the changes that this drop lists
    findings: tuple[Findings, ...] = ()


def with_old_ids(parts: Parts, layout: Layout, match: Matched, known: Renamed) -> Renames:
    """Replace changed ids by the old ones, before other ids are made from them.

    The changes are those that this drop lists, and those `known` from earlier drops.
    """
    changes = match.files.get(layout.renames)
    if changes is None or not changes.frame.height:
        return _restore_ids(parts, layout, known)
    ids = replace(
        changes.raw, frame=layout.prepare({layout.renames: changes.frame})[layout.renames]
    )
    if problem := unclear(ids):
        return Renames(parts, findings=(of_file("ids_unclear", "", problem),))
    new = remembering(ids.frame, known)
    finding = of_file("ids_changed", ids.name, count=ids.frame.height)
    restored = _restore_ids(parts, layout, {**known, **new})
    return replace(restored, renamed=new, findings=(finding, *restored.findings))


def _restore_ids(parts: Parts, layout: Layout, renamed: Renamed) -> Renames:
    if not renamed:
        return Renames(parts)
    made = {
        (entity, f"{kind}/{written(new)}"): f"{kind}/{written(was)}"
        for entity, (kind, of) in layout.made.items()
        for (name, new), was in renamed.items()
        if name == of
    }
    # A record with an id that another record had before is not that record. The row is rejected for
    # the text that replaces the id.
    given_up = {(name, was) for (name, _), was in renamed.items()} - renamed.keys()
    replacements = by_entity(
        {**renamed, **made, **{(name, was): f"{was} (given up)" for name, was in given_up}}
    )
    findings = [
        of_rows(
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
    return Renames(restored, findings=tuple(findings))


def _rows_with(part: Part, ids: set[str]) -> pl.DataFrame:
    return part.frame.filter(pl.col("sourcedId").is_in(sorted(ids)))
