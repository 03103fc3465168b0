"""Ids that a source gives up for others, where the layout has a file for that: the source says so once, and then only uses the new ones."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from transforms.findings import Findings, of_file
from transforms.layouts.assembling import Parts
from transforms.layouts.layout import Layout
from transforms.layouts.matching import Matched
from transforms.renaming import Renamed, frame_of, remembering, unclear, with_old
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
        return Renames(_old(parts, known))
    ids = replace(changes.raw, frame=layout.prepare({layout.renames: changes.frame})[layout.renames])
    if wrong := unclear(ids):
        return Renames(parts, findings=(of_file("ids_unclear", "", wrong),))
    new = remembering(ids.frame, known)
    told = of_file("ids_changed", ids.name, count=ids.frame.height)
    return Renames(_old(parts, {**known, **new}), new, (told,))


def _old(parts: Parts, renamed: Renamed) -> Parts:
    if not renamed:
        return parts
    ids = frame_of(renamed)
    return {name: part.having(with_old(part.frame, ENTITIES[name], ids)) for name, part in parts.items()}
