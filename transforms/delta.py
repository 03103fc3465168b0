"""The roster after a drop that is no snapshot: what it was before, with the drop's records laid over it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import polars as pl

from transforms import payload as parts
from transforms.changes import ACTIVE, IN_TARGET
from transforms.checks.references import Known
from transforms.diff import marked
from transforms.findings import ROW, Findings, gather, of_file
from transforms.layouts.layout import plain
from transforms.payload import Part, folded, part_property
from transforms.records import EntityRecords, RosterState
from transforms.roster import Roster, Table
from transforms.schemas import ENTITIES

OVER = "#over:"


def overlay(before: EntityRecords, drop: EntityRecords) -> EntityRecords:
    """Lay the records of a drop over those `before`, by `sourcedId`, and take away those that are `gone`.

    A column of which the drop does not speak keeps its cells, as it does in the target. A record that
    the drop refuses stays as it was; one that it withholds is withheld.
    """
    gone = pl.concat([drop.gone, drop.withheld["sourcedId"]])
    whole = _laid_over(_without(before.accepted, gone), drop)
    settled = pl.concat([whole["sourcedId"], drop.gone])
    withheld = _without(
        pl.concat([drop.withheld, before.withheld]).unique("sourcedId", maintain_order=True),
        settled,
    )
    refused = pl.concat([drop.refused, before.refused]).unique("sourcedId", maintain_order=True)
    return replace(
        drop,
        accepted=whole,
        mode=before.mode,
        refused=_without(refused, pl.concat([settled, withheld["sourcedId"]])),
        withheld=withheld,
        gone=drop.gone.clear(),
        blurred=before.blurred or drop.blurred,
        said=before.said | drop.said,
        partial=before.partial - _told_whole(drop) | drop.partial - _told_whole(before),
        settled=False,
    )


def _without(frame: pl.DataFrame, ids: pl.Series) -> pl.DataFrame:
    return frame.filter(~pl.col("sourcedId").is_in(ids.implode())) if ids.len() else frame


def _laid_over(before: pl.DataFrame, drop: EntityRecords) -> pl.DataFrame:
    """Give the records of both, each once; of a record in both, what the drop does not say is taken from before."""
    new = drop.accepted.drop(ROW)
    old = before.drop(ROW)
    met = new.join(
        old.rename(lambda name: name if name == "sourcedId" else OVER + name),
        on="sourcedId",
        how="left",
        maintain_order="left",
    )
    names = dict.fromkeys((*new.columns, *old.columns))
    cells = [_cell(name, met, drop) for name in names]
    laid = met.select(cells)
    stay = old.join(new.select("sourcedId"), on="sourcedId", how="anti", maintain_order="left")
    return pl.concat([stay, laid], how="diagonal").with_row_index(ROW, 1)


def _cell(name: str, met: pl.DataFrame, drop: EntityRecords) -> pl.Expr | pl.Series:
    part = folded(drop.entity).get(name)
    if name == "sourcedId" or OVER + name not in met.columns:
        return pl.col(name)
    if name not in met.columns:
        return pl.col(OVER + name).alias(name)
    if part and part_property(part) in drop.partial and not drop.settled:
        return _united(name, met)
    if name in drop.said or part:
        return pl.col(name)
    return pl.coalesce(name, OVER + name)


def _united(name: str, met: pl.DataFrame) -> pl.Series:
    """Add the parts of the drop to those that were there."""
    pairs = met.select(name, OVER + name).iter_rows()
    return pl.Series(name, [_both(new, old) for new, old in pairs], dtype=pl.String)


def _both(new: str | None, old: str | None) -> str | None:
    held: list[Part] = [part for text in (new, old) if text for part in parts.unfolded(text)]
    return parts.folded_again(part for place, part in enumerate(held) if part not in held[:place])


def _told_whole(records: EntityRecords) -> frozenset[str]:
    """The kinds of parts of which a drop holds all."""
    return frozenset(
        part_property(part) for name, part in folded(records.entity).items() if name in records.said
    )


MARKED = {"sourcedId": pl.String, "fingerprint": pl.Int64}


def with_arrears(
    standing: RosterState, roster: RosterState, known: Known, decided: pl.DataFrame
) -> tuple[RosterState, Findings]:
    """Add what is in arrears, and tell how much that is.

    `roster` is the whole roster with this drop laid over it. `decided` (`entity`, `sourcedId`,
    `fingerprint`, null for what vanished) is what plans hold or people have decided on: it is theirs.
    """
    found: RosterState = {}
    count = 0
    for name in (name for name in ENTITIES if name in standing or name in roster):
        if name not in roster or (name in standing and standing[name].mode == "bulk"):
            found[name] = standing[name]
            continue
        drop = standing.get(name) or _nothing(roster[name])
        late = _unsent(drop, roster[name], known.get(name), decided.filter(entity=name))
        gone = _undeleted(drop, roster[name], known.get(name), decided.filter(entity=name))
        count += late.height + gone.len()
        if name in standing or late.height or gone.len():
            found[name] = _added(drop, late, gone)
    return found, of_file("arrears", "", count=count) if count else Findings()


def _nothing(whole: EntityRecords) -> EntityRecords:
    """A delta that says nothing."""
    return replace(
        whole,
        accepted=whole.accepted.clear(),
        mode="delta",
        refused=whole.refused.clear(),
        withheld=whole.withheld.clear(),
        blurred=False,
    )


def _unsent(
    drop: EntityRecords, whole: EntityRecords, ledger: pl.DataFrame | None, decided: pl.DataFrame
) -> pl.DataFrame:
    """The records of the whole roster that the target does not have as they are, and the drop does not settle."""
    marks = marked({whole.entity.name: whole})[whole.entity.name]
    there = _ledger(ledger).filter(pl.col("status").is_in([ACTIVE, "kept"])).select(*MARKED)
    now = pl.DataFrame(
        {"sourcedId": whole.accepted["sourcedId"], "fingerprint": marks}, schema=MARKED
    )
    known = pl.concat([there, decided.select(*MARKED)])
    late = now.join(known, on=list(MARKED), how="anti").filter(
        ~pl.col("sourcedId").is_in(_settled(drop).implode())
    )
    return whole.accepted.filter(pl.col("sourcedId").is_in(late["sourcedId"].implode()))


def _undeleted(
    drop: EntityRecords, whole: EntityRecords, ledger: pl.DataFrame | None, decided: pl.DataFrame
) -> pl.Series:
    """The records that the target still has, and that a drop said are gone."""
    if whole.mode != "bulk" or whole.blurred:
        return drop.gone.clear()
    active = _ledger(ledger).filter(pl.col("status") == ACTIVE)["sourcedId"]
    told = [
        whole.accepted["sourcedId"],
        whole.refused["sourcedId"],
        whole.withheld["sourcedId"],
        _settled(drop),
        drop.refused["sourcedId"],
    ]
    held = decided.filter(pl.col("fingerprint").is_null())["sourcedId"]
    return active.filter(~active.is_in(pl.concat([*told, held]).implode()))


def _added(drop: EntityRecords, late: pl.DataFrame, gone: pl.Series) -> EntityRecords:
    accepted = pl.concat([drop.accepted.drop(ROW), late.drop(ROW)], how="diagonal").with_row_index(
        ROW, 1
    )
    columns = frozenset(name for name in late.columns if late.height and late[name].count())
    return replace(
        drop, accepted=accepted, gone=pl.concat([drop.gone, gone]), said=drop.said | columns
    )


def _settled(drop: EntityRecords) -> pl.Series:
    """The ids of which a drop says something that counts: whose row it refuses stays as it was, and may be in arrears."""
    return pl.concat([drop.accepted["sourcedId"], drop.withheld["sourcedId"], drop.gone])


def _ledger(known: pl.DataFrame | None) -> pl.DataFrame:
    if known is None:
        return pl.DataFrame(schema=MARKED | {"status": pl.String})
    return known.filter(pl.col("status").is_in(IN_TARGET)).select(*MARKED, "status")


def with_lacking(
    roster: Roster, earlier: Mapping[str, Collection[str]], without: Collection[str] = ()
) -> Roster:
    """Note what held records of an entity in the newest roster, as in `Table.fed`, and is not here; only a snapshot can lack it.

    What is lacking stays among what feeds the table, so that it is still known to be lacking of the next drop. A
    person ends that by naming it as one that the source is now `without`.
    """
    known = {plain(one) for one in without}
    tables = {
        name: _with_lacking(table, earlier.get(name, ()), known)
        for name, table in roster.tables.items()
    }
    lacking = dict.fromkeys(one for table in tables.values() for one in table.lacking)
    if not lacking:
        return roster
    told = [
        of_file("file_gone", file, column=column.strip())
        for file, _, column in (one.partition(":") for one in lacking)
    ]
    return replace(roster, tables=tables, findings=gather([roster.findings, *told]))


def _with_lacking(table: Table, earlier: Collection[str], without: Collection[str]) -> Table:
    if table.mode != "bulk" and not table.emptied:
        return table
    there = {*map(plain, table.fed), *without}
    lacking = tuple(one for one in earlier if plain(one) not in there)
    return replace(table, fed=(*table.fed, *lacking), lacking=lacking) if lacking else table
