"""New ids that are not new: the target knows them as those of other records, which no file of ids may overwrite."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from transforms.checks.references import Known, in_target
from transforms.findings import Findings, gather, of_file
from transforms.renaming import FILE, Given, Renamed, by_entity
from transforms.roster import Roster

FIRST = 3


def taken(roster: Roster, known: Known, earlier: Renamed) -> Findings:
    """Refuse a drop that gives the old id of one record to another that the target holds by itself.

    `earlier` is what the source said of ids in earlier nights: by entity and new id, the one that the target knows.
    """
    return gather([*_found(FILE, roster.given, known), *_found("", by_entity(roster.renamed), known), *_again(roster.renamed, earlier)])  # fmt: skip


def _found(file: str, given: Given, known: Known) -> Iterator[Findings]:
    for entity, old in given.items():
        new = [one for one, was in old.items() if one != was]
        there = pl.Series(new, dtype=pl.String)
        there = there.filter(there.is_in(in_target(known, entity).implode())) if new else there
        if there.len():
            yield _told(file, entity, [(one, old[one]) for one in there])


def _again(renamed: Renamed, earlier: Renamed) -> Iterator[Findings]:
    """An id that was the new one of a record cannot be that of another record too."""
    for (entity, new), was in renamed.items():
        if (before := earlier.get((entity, new), was)) != was:
            yield of_file(
                "ids_taken", "", f"{entity} {new} of {was}, and it is the new id of {before} since an earlier night"
            )


def _told(file: str, entity: str, pairs: list[tuple[str, str]]) -> Findings:
    first = ", ".join(f"{new} of {was}" for new, was in pairs[:FIRST]) + (", …" if len(pairs) > FIRST else "")
    return of_file("ids_taken", "", f"{file or 'the file of changed ids'}: {entity} {first}", count=len(pairs))
