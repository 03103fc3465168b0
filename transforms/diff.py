"""Step 5 of the pipeline: compare accepted records with the ledger and find what to send.

The result is new records, changed records, and records that are no longer in the drop. The module
also has the digest of a roster, which shows whether a whole drop is the same as an earlier one.
"""

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
from transforms.checks.references import LedgerFrames
from transforms.findings import ROW, Findings, file_finding, merge_findings
from transforms.fingerprint import fingerprints
from transforms.payload import METADATA, filled_paths
from transforms.records import EntityRecords, RosterState
from transforms.schemas import LIFECYCLE, Entity

Fingerprints = Mapping[str, pl.Series]
KNOWN = {"sourcedId": pl.String, "fingerprint": pl.Int64, "status": pl.String}
# A user's agents are sent after all users, and no user waits for its agents.
NOT_PARENTS = frozenset({("users", "agentSourcedIds")})
# Columns that a roster stores beside a record: what identifies its roles, and the ended ones.
BESIDE = ("#roles", "#ended")
HALF = pl.lit(2**32, pl.UInt64)
MULTIPLIERS = (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53)


@dataclass(frozen=True)
class Difference:
    """The changes of a run, and the findings of the comparison."""

    changes: Changes
    findings: Findings = field(default_factory=Findings)


def diff(
    standing: RosterState, known: LedgerFrames, marks: Fingerprints | None = None
) -> Difference:
    """Compare the accepted records with what the target has acknowledged.

    `known` has the ledger's frame for each entity (`sourcedId`, `fingerprint`, `status`). `marks`
    are the fingerprints of the records, if the caller has them.
    """
    marks = fingerprints_by_entity(standing) if marks is None else marks
    changes: Changes = {}
    found: list[Findings] = []
    for name, records in standing.items():
        ledger = known.get(name, pl.DataFrame(schema=KNOWN))
        frame = _content(records)
        compared = _beside_ledger(frame, marks[name], ledger)
        upserts = _upserts(records.entity, frame, compared)
        removals, doubtful = _removals(records, ledger, compared)
        if doubtful:
            found.append(file_finding("not_absent", records.file, count=doubtful))
        counts: Counts = {
            **records.counts,
            "unchanged": frame.height - upserts.height,
            "vanished": removals.height,
            "kept": removals.filter(pl.col(ACTION) == "kept").height,
        }
        changes[name] = EntityChanges(
            name,
            upserts,
            removals,
            counts=counts,
            said=records.said,
            partial=records.partial,
            returned=_returned(compared),
            whole=records.mode == "bulk",
            emptied=records.emptied,
            doubtful=doubtful,
            lacking=records.lacking,
        )
    return Difference(changes, merge_findings(found))


def fingerprints_by_entity(standing: RosterState) -> Fingerprints:
    """Return the fingerprints of each entity's accepted records, in their order."""
    return {
        name: fingerprints(records.entity, _content(records)) for name, records in standing.items()
    }


def _content(records: EntityRecords) -> pl.DataFrame:
    """Return the accepted records without row numbers, lifecycle columns and blank columns."""
    frame = records.accepted.drop(ROW, *LIFECYCLE)
    return frame.select(
        name for name in frame.columns if name == "sourcedId" or frame[name].count()
    )


def _beside_ledger(frame: pl.DataFrame, marks: pl.Series, ledger: pl.DataFrame) -> pl.DataFrame:
    """Put the ledger's columns beside each record's fingerprint, in the records' order."""
    now = pl.DataFrame({"sourcedId": frame["sourcedId"], FINGERPRINT: marks})
    return now.join(ledger, on="sourcedId", how="left", maintain_order="left")


def _upserts(entity: Entity, frame: pl.DataFrame, compared: pl.DataFrame) -> pl.DataFrame:
    """Return the records to send: those that the target does not have in this form."""
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
    actions = compared.select(action.alias(ACTION))[ACTION]
    send = actions.is_not_null()
    upserts = frame.filter(send).with_columns(
        actions.filter(send), compared[FINGERPRINT].filter(send)
    )
    # The ledger is several times faster to write in the order of its key.
    return _with_ledger_columns(entity, upserts.sort("sourcedId"))


def _with_ledger_columns(entity: Entity, upserts: pl.DataFrame) -> pl.DataFrame:
    """Add the columns that the ledger stores for a record besides its fingerprint."""
    names = [name for name in upserts.columns if not name.startswith("#")]
    fields = [
        pl.when(pl.col(name).is_not_null()).then(_filled_names(upserts[name]))
        for name in sorted(names)
    ]
    label = [pl.col(name) for name in entity.label if name in names]
    blank = pl.lit(None, pl.String)
    with_columns = upserts.with_columns(
        pl.concat_str(fields, separator=",", ignore_nulls=True).alias(FIELDS),
        school_of(entity, upserts).alias(SCHOOL),
        (pl.concat_str(label, separator=" ", ignore_nulls=True) if label else blank).alias(LABEL),
        _parents(entity, upserts).alias(PARENTS),
        (pl.col("endDate") if "endDate" in names else blank).alias(ENDS),
    )
    own = [name for name in names if name != "sourcedId"]
    ended = [ENDED_PARTS] if ENDED_PARTS in upserts.columns else []
    return with_columns.select(
        "sourcedId", ACTION, FINGERPRINT, FIELDS, SCHOOL, PARENTS, LABEL, ENDS, *ended, *own
    )


def _filled_names(cells: pl.Series) -> pl.Expr:
    """Return the name of a column or, where a cell holds an object, the paths in that object."""
    name = cells.name
    if not name.startswith(METADATA):
        return pl.lit(name)
    objects = cells.filter(cells.str.starts_with("{")).unique()
    paths = {cell: ",".join(filled_paths(name, cell)) for cell in objects}
    if not paths:
        return pl.lit(name)
    return pl.col(name).replace_strict(paths, default=pl.lit(name), return_dtype=pl.String)


def school_of(entity: Entity, chosen: pl.DataFrame) -> pl.Expr:
    """Return the organization that a record counts for.

    A person without an organization counts for that of the first role.
    """
    if entity.name == "orgs":
        return pl.col("sourcedId")
    candidates = [
        pl.col(name)
        for name in ("schoolSourcedId", "primaryOrgSourcedId", "orgSourcedId")
        if name in chosen
    ]
    if "roles" in chosen.columns:
        role_orgs = parts.part_values(chosen["roles"], "orgSourcedId")
        candidates.append(pl.lit(role_orgs.str.split(",").list.first()))
    return pl.coalesce(*candidates, pl.lit(None, pl.String))


def _parents(entity: Entity, upserts: pl.DataFrame) -> pl.Series:
    """Return the records that each record refers to, as `entity:sourcedId`, joined by spaces."""
    cells = [
        _words(pl.col(column.name), column.refers)
        for column in entity.columns
        if column.refers
        and column.name in upserts.columns
        and (entity.name, column.name) not in NOT_PARENTS
    ]
    if "roles" in upserts.columns:
        upserts = upserts.with_columns(roleOrgs=parts.part_values(upserts["roles"], "orgSourcedId"))
        cells.append(_words(pl.col("roleOrgs"), "orgs"))
    if not cells:
        return pl.Series(PARENTS, [None] * upserts.height, dtype=pl.String)
    words = pl.concat_str(cells, separator=" ", ignore_nulls=True)
    return upserts.select(words.alias(PARENTS))[PARENTS]


def _words(cell: pl.Expr, entity: str) -> pl.Expr:
    return pl.lit(f"{entity}:") + cell.str.replace_all(",", f" {entity}:", literal=True)


def _returned(compared: pl.DataFrame) -> pl.Series:
    """Return the ids that were missing, were kept, and are in the drop again, unchanged."""
    unchanged = pl.col("fingerprint") == pl.col(FINGERPRINT)
    return compared.filter((pl.col("status") == KEPT) & unchanged)["sourcedId"]


def _removals(
    records: EntityRecords, ledger: pl.DataFrame, compared: pl.DataFrame
) -> tuple[pl.DataFrame, int]:
    """Return the records that a full snapshot no longer has, or whose rows say `tobedeleted`.

    A record that the drop contains, accepted or not, is not missing. If rows without a certain id
    were refused, no record counts as missing: the second result is how many that concerns.
    """
    said = records.gone.unique(maintain_order=True)
    all_present = (compared["status"] == ACTIVE).sum() == (ledger["status"] == ACTIVE).sum()
    if all_present and not said.len():
        return no_removals(), 0
    active = ledger.filter(pl.col("status") == ACTIVE)["sourcedId"]
    deleted = said.filter(said.is_in(active.implode()))
    kept = said.filter(~said.is_in(active.implode()))
    missing = active.clear()
    if (records.mode == "bulk" or records.emptied) and not all_present:
        present = pl.concat(
            [
                records.accepted["sourcedId"],
                records.refused["sourcedId"],
                records.withheld["sourcedId"],
                said,
            ]
        )
        missing = active.filter(~active.is_in(present.implode()))
    doubtful = missing.len() if records.blurred else 0
    if doubtful:
        missing = missing.clear()
    gone = pl.concat([deleted, missing]).alias("sourcedId")
    removals = [
        pl.DataFrame({"sourcedId": ids}).with_columns(pl.lit(action).alias(ACTION))
        for ids, action in ((gone, "delete"), (kept.alias("sourcedId"), "kept"))
    ]
    return pl.concat(removals), doubtful


def digest(records: EntityRecords, marks: pl.Series | None = None) -> str:
    """Return 32 hex digits that stand for the accepted, refused and withheld records.

    As in fingerprints, the order of rows and columns, row numbers and blank columns make no
    difference; the columns `BESIDE` the records do. `marks` are the fingerprints of the accepted
    records, if the caller has them.
    """
    if marks is None:
        marks = fingerprints_by_entity({records.entity.name: records})[records.entity.name]
    words = [records.entity.name, *_sums(marks)]
    for name in (name for name in BESIDE if name in records.accepted.columns):
        # Rename the column: a fingerprint ignores columns that begin with `#`.
        beside = records.accepted.filter(pl.col(name).is_not_null()).select(
            "sourcedId", pl.col(name).alias(name[1:])
        )
        words += [name, *_sums(fingerprints(records.entity, beside))] if beside.height else []
    for rows in (records.refused, records.withheld):
        words += _sums(fingerprints(records.entity, rows.select("sourcedId")))
    return hashlib.sha256(" ".join(map(str, words)).encode()).hexdigest()[:32]


def _sums(marks: pl.Series) -> tuple[int, ...]:
    """Return the number of fingerprints, and three sums that do not depend on their order."""
    mark = pl.col("mark")
    spread = mark
    for multiplier in MULTIPLIERS:
        spread = (spread ^ (spread // HALF)) * pl.lit(multiplier, pl.UInt64)
    frame = marks.alias("mark").to_frame().select(mark.reinterpret(signed=False))
    sums = frame.select(mark.sum(), spread.sum().alias("spread"), mark.bitwise_xor().alias("xor"))
    return (marks.len(), *(int(value or 0) for value in sums.row(0)))
