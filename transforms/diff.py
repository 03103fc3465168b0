"""Step 5 of the straight line: what the ledger does not know yet, what changed, what vanished."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from transforms import payload as parts
from transforms.changes import (
    ACTION,
    ACTIVE,
    DISABLED,
    ENDED,
    ENDED_PARTS,
    ENDS,
    FIELDS,
    FINGERPRINT,
    IN_TARGET,
    KEPT,
    LABEL,
    PARENTS,
    SCHOOL,
    Changes,
    Counts,
    EntityChanges,
    no_removals,
)
from transforms.checks.references import Known
from transforms.findings import ROW, Findings, gather, of_file
from transforms.fingerprint import fingerprints
from transforms.payload import METADATA, names_in
from transforms.records import EntityRecords, RosterState
from transforms.schemas import LIFECYCLE, Entity

Marks = Mapping[str, pl.Series]
KNOWN = {"sourcedId": pl.String, "fingerprint": pl.Int64, "status": pl.String}
# A user's agents are sent after all users, and are not waited for.
NOT_PARENTS = frozenset({("users", "agentSourcedIds")})


@dataclass(frozen=True)
class Difference:
    """The changes of a run, and what was found while they were sought."""

    changes: Changes
    findings: Findings = field(default_factory=Findings)


def diff(standing: RosterState, known: Known, marks: Marks | None = None) -> Difference:
    """Compare what is accepted with what the target has acknowledged (`sourcedId`, `fingerprint`, `status`).

    `marks` are the records' fingerprints, if they are computed already.
    """
    marks = marked(standing) if marks is None else marks
    changes: Changes = {}
    found: list[Findings] = []
    for name, judged in standing.items():
        ledger = known.get(name, pl.DataFrame(schema=KNOWN))
        records = _records(judged)
        met = _met(records, marks[name], ledger)
        upserts = _upserts(judged.entity, records, met)
        unchanged = records.height - upserts.height
        removals, told = _removals(judged, ledger, met)
        counts: Counts = {**judged.counts, "unchanged": unchanged, "vanished": removals.height}
        counts["kept"] = removals.filter(pl.col(ACTION) == "kept").height
        changes[name] = EntityChanges(
            name,
            upserts,
            removals,
            counts=counts,
            said=judged.said,
            partial=judged.partial,
            returned=_returned(met),
            whole=judged.mode == "bulk",
            emptied=judged.emptied,
            lacking=judged.lacking,
        )
        found += told
    return Difference(changes, gather(found))


def marked(standing: RosterState) -> Marks:
    """Give the fingerprints of each entity's accepted records, in their order."""
    return {
        name: fingerprints(judged.entity, _records(judged)) for name, judged in standing.items()
    }


def _records(judged: EntityRecords) -> pl.DataFrame:
    """The accepted records without what is not theirs: row numbers, lifecycle, columns that are blank throughout."""
    frame = judged.accepted.drop(ROW, *LIFECYCLE)
    return frame.select(
        name for name in frame.columns if name == "sourcedId" or frame[name].count()
    )


def _met(records: pl.DataFrame, marks: pl.Series, ledger: pl.DataFrame) -> pl.DataFrame:
    """Put what the ledger knows beside each record, in the records' order."""
    now = pl.DataFrame({"sourcedId": records["sourcedId"], FINGERPRINT: marks})
    return now.join(ledger, on="sourcedId", how="left", maintain_order="left")


def _upserts(entity: Entity, records: pl.DataFrame, met: pl.DataFrame) -> pl.DataFrame:
    """Give the records to send: those that the target does not have as they are."""
    action = (
        pl.when(pl.col("status").is_null())
        .then(pl.lit("create"))
        .when(~pl.col("status").is_in(IN_TARGET))
        .then(pl.lit("revive"))
        .when(
            pl.col("status").is_in([DISABLED, ENDED])
            | (pl.col("fingerprint") != pl.col(FINGERPRINT))
        )
        .then(pl.lit("update"))
    )
    actions = met.select(action.alias(ACTION))[ACTION]
    send = actions.is_not_null()
    chosen = records.filter(send).with_columns(actions.filter(send), met[FINGERPRINT].filter(send))
    # The ledger is several times faster to write in the order of its key.
    chosen = chosen.sort("sourcedId")
    return _described(entity, chosen)


def _described(entity: Entity, chosen: pl.DataFrame) -> pl.DataFrame:
    """Add what the ledger keeps of a record beside its fingerprint."""
    names = [name for name in chosen.columns if not name.startswith("#")]
    filled = [
        pl.when(pl.col(name).is_not_null()).then(_filled(chosen[name])) for name in sorted(names)
    ]
    label = [pl.col(name) for name in entity.label if name in names]
    described = chosen.with_columns(
        pl.concat_str(filled, separator=",", ignore_nulls=True).alias(FIELDS),
        school_of(entity, chosen).alias(SCHOOL),
        (
            pl.concat_str(label, separator=" ", ignore_nulls=True)
            if label
            else pl.lit(None, pl.String)
        ).alias(LABEL),
        _parents(entity, chosen).alias(PARENTS),
        (pl.col("endDate") if "endDate" in names else pl.lit(None, pl.String)).alias(ENDS),
    )
    own = [name for name in names if name != "sourcedId"]
    ended = [ENDED_PARTS] if ENDED_PARTS in chosen.columns else []
    return described.select(
        "sourcedId", ACTION, FINGERPRINT, FIELDS, SCHOOL, PARENTS, LABEL, ENDS, *ended, *own
    )


def _filled(cells: pl.Series) -> pl.Expr:
    """Name what the cells of a column fill: of an object, what is in it."""
    name = cells.name
    if not name.startswith(METADATA):
        return pl.lit(name)
    objects = cells.filter(cells.str.starts_with("{")).unique()
    named = {cell: ",".join(names_in(name, cell)) for cell in objects}
    return (
        pl.col(name).replace_strict(named, default=pl.lit(name), return_dtype=pl.String)
        if named
        else pl.lit(name)
    )


def school_of(entity: Entity, chosen: pl.DataFrame) -> pl.Expr:
    """The organisation by which a record is counted; people who name none have that of their first role."""
    if entity.name == "orgs":
        return pl.col("sourcedId")
    found = [
        pl.col(name)
        for name in ("schoolSourcedId", "primaryOrgSourcedId", "orgSourcedId")
        if name in chosen
    ]
    if "roles" in chosen.columns:
        of_roles = parts.values(chosen["roles"], "orgSourcedId")
        found.append(pl.lit(of_roles.str.split(",").list.first()))
    return pl.coalesce(*found, pl.lit(None, pl.String))


def _parents(entity: Entity, chosen: pl.DataFrame) -> pl.Series:
    """The records to which one refers, as `entity:sourcedId`, joined by spaces."""
    columns = [
        column for column in entity.columns if column.refers and column.name in chosen.columns
    ]
    cells = [
        _words(pl.col(column.name), column.refers or "")
        for column in columns
        if (entity.name, column.name) not in NOT_PARENTS
    ]
    frame = chosen
    if "roles" in chosen.columns:
        frame = chosen.with_columns(roleOrgs=parts.values(chosen["roles"], "orgSourcedId"))
        cells.append(_words(pl.col("roleOrgs"), "orgs"))
    if not cells:
        return pl.Series(PARENTS, [None] * chosen.height, dtype=pl.String)
    return frame.select(pl.concat_str(cells, separator=" ", ignore_nulls=True).alias(PARENTS))[
        PARENTS
    ]


def _words(cell: pl.Expr, entity: str) -> pl.Expr:
    return pl.lit(f"{entity}:") + cell.str.replace_all(",", f" {entity}:", literal=True)


def _returned(met: pl.DataFrame) -> pl.Series:
    """The ids that vanished once, were kept, and are back as the target has them."""
    return met.filter((pl.col("status") == KEPT) & (pl.col("fingerprint") == pl.col(FINGERPRINT)))[
        "sourcedId"
    ]


def _removals(
    judged: EntityRecords, ledger: pl.DataFrame, met: pl.DataFrame
) -> tuple[pl.DataFrame, list[Findings]]:
    """The records that vanished: gone from a full snapshot, or said to be gone.

    Whoever is in the drop in any way, accepted or not, has not vanished; nor has anyone, if rows were
    refused whose id is not certain.
    """
    said = judged.gone.unique(maintain_order=True)
    everyone_is_there = (met["status"] == ACTIVE).sum() == (ledger["status"] == ACTIVE).sum()
    if everyone_is_there and not said.len():
        return no_removals(), []
    active = ledger.filter(pl.col("status") == ACTIVE)["sourcedId"]
    deleted = said.filter(said.is_in(active.implode()))
    kept = said.filter(~said.is_in(active.implode()))
    missing = active.clear()
    if (judged.mode == "bulk" or judged.emptied) and not everyone_is_there:
        present = pl.concat(
            [
                judged.accepted["sourcedId"],
                judged.refused["sourcedId"],
                judged.withheld["sourcedId"],
                said,
            ]
        )
        missing = active.filter(~active.is_in(present.implode()))
    found = []
    if judged.blurred and missing.len():
        found.append(of_file("not_absent", judged.file, count=missing.len()))
        missing = missing.clear()
    gone = pl.concat([deleted, missing]).alias("sourcedId")
    removals = [
        pl.DataFrame({"sourcedId": ids}).with_columns(pl.lit(action).alias(ACTION))
        for ids, action in ((gone, "delete"), (kept.alias("sourcedId"), "kept"))
    ]
    return pl.concat(removals), found


# What a roster keeps of a record beside it: what its parts are known by, and which have ended.
BESIDE = ("#roles", "#ended")
HALF = pl.lit(2**32, pl.UInt64)
MULTIPLIERS = (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53)


def digest(judged: EntityRecords, marks: pl.Series | None = None) -> str:
    """Give 32 hex digits for what is accepted, refused and withheld; `marks` are the fingerprints of what is accepted.

    Order of rows and columns, row numbers and blank columns say nothing, as in the fingerprints; what is kept `BESIDE` records does.
    """
    if marks is None:
        marks = marked({judged.entity.name: judged})[judged.entity.name]
    said = [judged.entity.name, *_sums(marks)]
    for name in (name for name in BESIDE if name in judged.accepted.columns):
        # By other names, for what begins with # has no part in a fingerprint.
        beside = judged.accepted.filter(pl.col(name).is_not_null()).select(
            "sourcedId", pl.col(name).alias(name[1:])
        )
        said += [name, *_sums(fingerprints(judged.entity, beside))] if beside.height else []
    for name in ("refused", "withheld"):
        said += _sums(_marks(judged.entity, getattr(judged, name)))
    return hashlib.sha256(" ".join(map(str, said)).encode()).hexdigest()[:32]


def _marks(entity: Entity, rows: pl.DataFrame) -> pl.Series:
    return fingerprints(entity, rows.select("sourcedId"))


def _sums(marks: pl.Series) -> tuple[int, ...]:
    mark = pl.col("mark")
    spread = mark
    for multiplier in MULTIPLIERS:
        spread = (spread ^ (spread // HALF)) * pl.lit(multiplier, pl.UInt64)
    frame = marks.alias("mark").to_frame().select(mark.reinterpret(signed=False))
    sums = frame.select(mark.sum(), spread.sum().alias("spread"), mark.bitwise_xor().alias("xor"))
    return (marks.len(), *(int(value or 0) for value in sums.row(0)))
