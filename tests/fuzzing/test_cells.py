"""Spoilt cells: whoever stands in a drop is accepted, rejected or said to be gone, and is never deleted for the dirt."""

from __future__ import annotations

import copy
from functools import cache
from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.fuzzing.bounds import bounded
from tests.fuzzing.cells import Dirt, dirt, filled_rows, named, plain
from tests.fuzzing.nights import Night, night, sent
from tests.fuzzing.samples import SAMPLE_DATA, SAMPLES, Table, put
from tests.judging import Known
from tests.strength import expensive
from transforms.changes import imbalance
from transforms.findings import ROW
from transforms.layouts.ids import unescape_source_id


@cache
def first(name: str) -> Night:
    """Load a sample as it is."""
    return night(SAMPLE_DATA / name, SAMPLES[name].layout, {})


def known(name: str) -> Known:
    """Give what the target holds then."""
    return sent(first(name))


@cache
def as_written(name: str) -> frozenset[tuple[str, str]]:
    """Give the entities and files whose ids are those of the records; others are made of them, or renamed."""
    there = named(SAMPLES[name], SAMPLES[name].tables())
    return frozenset(
        place for place, ids in there.items() if ids <= everybody(first(name), place[0])
    )


def spoilt(
    name: str, faults: list[Dirt], folder: Path, strict: bool = False
) -> tuple[dict[str, Table], Night]:
    """Spoil a sample and go through a night with it."""
    tables = copy.deepcopy(SAMPLES[name].tables())
    changed = {file for fault in faults if (file := fault.upon(tables))}
    files = SAMPLES[name].files | {file: SAMPLES[name].written(tables[file]) for file in changed}
    with bounded(sum(map(len, files.values()))):
        return tables, night(put(folder, files), SAMPLES[name].layout, known(name), strict)


@pytest.mark.parametrize("name", SAMPLES)
@expensive(6, 3)  # of each sample
@example(faults=[Dirt(0, 0, 0, "NULL")])
@example(faults=[Dirt(0, 0, 0, "a\nb")])
@given(faults=st.lists(dirt(), min_size=1, max_size=3))
def test_whoever_stands_in_a_drop_is_counted(
    name: str, faults: list[Dirt], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Row by row and record by record, as Python's own reader finds them."""
    tables, done = spoilt(name, faults, tmp_path_factory.mktemp("drop"))

    for file, table in tables.items():
        if file not in done.raw.broken and "" not in done.raw.findings.fatal["file"]:
            source = done.raw.files[file]
            assert filled_rows(table) == source.frame.height + len(source.ragged)
    for (entity, file), ids in named(SAMPLES[name], tables).items():
        if (entity, file) in as_written(name) and not {file, ""} & done.refused_files:
            assert ids <= everybody(done, entity)
    assert {} == unaccounted(done)
    assert {} == {
        entity: off for entity, counts in done.counts.items() if (off := imbalance(counts))
    }


@pytest.mark.parametrize("name", SAMPLES)
@expensive(6, 3)  # of each sample
@given(faults=st.lists(dirt(), min_size=1, max_size=3), strict=st.booleans())
def test_nobody_goes_for_the_dirt(
    name: str, faults: list[Dirt], strict: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whoever is to be deleted stands in no row any more."""
    tables, done = spoilt(name, faults, tmp_path_factory.mktemp("drop"), strict)

    there = named(SAMPLES[name], tables)
    for entity, part in done.changes.items():
        left = {one for (kind, _), ids in there.items() if kind == entity for one in ids}
        assert set() == left & {plain(one) for one in part.of("delete")["sourcedId"]} - said_gone(
            done, entity
        )


def everybody(done: Night, entity: str) -> set[str]:
    """Give the ids of an entity that came through the check, accepted or not, as the drop writes them."""
    judged = done.checked.standing[entity]
    ids = pl.concat([judged.accepted["sourcedId"], judged.refused["sourcedId"], judged.gone])
    return {plain(written) for one in ids for written in (one, unescape_source_id(one))}


def unaccounted(done: Night) -> dict[str, int]:
    """Give how many rows of each entity that fit their header are neither accepted nor merged, gone or told as errors."""
    found = {}
    for entity, judged in done.checked.standing.items():
        table = done.roster.tables.get(entity)
        rows = set(table.frame[ROW]) if table else set()
        errors = done.checked.findings.errors.filter(entity=entity, file=judged.file).drop_nulls(
            "row"
        )["row"]
        wrong = len({*errors} & rows)
        found[entity] = (
            len(rows) - judged.accepted.height - judged.merged - judged.gone.len() - wrong
        )
    return {entity: off for entity, off in found.items() if off}


def said_gone(done: Night, entity: str) -> set[str]:
    """Give the ids that a row says to be gone."""
    return {plain(one) for one in done.checked.standing[entity].gone}
