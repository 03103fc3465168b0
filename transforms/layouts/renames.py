"""Ids that a source gives up for others, where the layout has a file for that: the source says so once, and then only uses the new ones."""

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
    """The parts with the ids that records had first; the ids that the drop itself gives up for others; what was found."""

    parts: Parts
    renamed: Renamed = field(default_factory=dict)
    findings: tuple[Findings, ...] = ()


def with_old_ids(parts: Parts, layout: Layout, match: Matched, known: Renamed) -> Renames:
    """Give ids their old ones back, before other ids are made of them: as the drop's own file of changes and earlier ones say."""
    changes = match.files.get(layout.renames)
    if changes is None or not changes.frame.height:
        return _old(parts, layout, known)
    ids = replace(
        changes.raw, frame=layout.prepare({layout.renames: changes.frame})[layout.renames]
    )
    if wrong := unclear(ids):
        return Renames(parts, findings=(of_file("ids_unclear", "", wrong),))
    new = remembering(ids.frame, known)
    told = of_file("ids_changed", ids.name, count=ids.frame.height)
    done = _old(parts, layout, {**known, **new})
    return replace(done, renamed=new, findings=(told, *done.findings))


def _old(parts: Parts, layout: Layout, renamed: Renamed) -> Renames:
    if not renamed:
        return Renames(parts)
    made = {
        (entity, f"{kind}/{written(new)}"): f"{kind}/{written(was)}"
        for entity, (kind, of) in layout.made.items()
        for (name, new), was in renamed.items()
        if name == of
    }
    # Who has an id that somebody else gave up is not that one: the id leads nowhere, and the row is rejected for it.
    taken = {(name, was) for (name, _), was in renamed.items()} - renamed.keys()
    given = by_entity(
        {**renamed, **made, **{(name, was): f"{was} (given up)" for name, was in taken}}
    )
    told = [
        of_rows(
            "id_given_up",
            rows,
            file=parts[name].file,
            entity=name,
            column="sourcedId",
            value="sourcedId",
        )
        for name in {name for name, _ in taken} & parts.keys()
        if (rows := _of(parts[name], {was for one, was in taken if one == name})).height
    ]
    old = {
        name: part.having(with_old(part.frame, ENTITIES[name], given))
        for name, part in parts.items()
    }
    return Renames(old, findings=tuple(told))


def _of(part: Part, ids: set[str]) -> pl.DataFrame:
    return part.frame.filter(pl.col("sourcedId").is_in(sorted(ids)))
