"""What earlier drops said and the target does not have yet, added to a drop that is no full snapshot.

A full snapshot says everything again on the next night. A delta does not: what a run could not deliver
would be lost with it.
"""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from transforms.changes import ACTIVE, IN_TARGET
from transforms.checks.references import Known
from transforms.diff import marked
from transforms.findings import ROW, Findings, of_file
from transforms.judged import Judged, Standing
from transforms.schemas import ENTITIES

MARKED = {"sourcedId": pl.String, "fingerprint": pl.Int64}


def with_arrears(
    standing: Standing, roster: Standing, known: Known, decided: pl.DataFrame
) -> tuple[Standing, Findings]:
    """Add what is in arrears, and tell how much that is.

    `roster` is the whole roster with this drop laid over it. `decided` (`entity`, `sourcedId`,
    `fingerprint`, null for what vanished) is what plans hold or people have decided on: it is theirs.
    """
    found: Standing = {}
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


def _nothing(whole: Judged) -> Judged:
    """A delta that says nothing."""
    return replace(whole, accepted=whole.accepted.clear(), mode="delta", refused=whole.refused.clear(),
                   withheld=whole.withheld.clear(), blurred=False)  # fmt: skip


def _unsent(drop: Judged, whole: Judged, ledger: pl.DataFrame | None, decided: pl.DataFrame) -> pl.DataFrame:
    """The records of the whole roster that the target does not have as they are, and the drop does not settle."""
    marks = marked({whole.entity.name: whole})[whole.entity.name]
    there = _ledger(ledger).filter(pl.col("status").is_in([ACTIVE, "kept"])).select(*MARKED)
    now = pl.DataFrame({"sourcedId": whole.accepted["sourcedId"], "fingerprint": marks}, schema=MARKED)
    known = pl.concat([there, decided.select(*MARKED)])
    late = now.join(known, on=list(MARKED), how="anti").filter(~pl.col("sourcedId").is_in(_settled(drop).implode()))
    return whole.accepted.filter(pl.col("sourcedId").is_in(late["sourcedId"].implode()))


def _undeleted(drop: Judged, whole: Judged, ledger: pl.DataFrame | None, decided: pl.DataFrame) -> pl.Series:
    """The records that the target still has, and that a drop said are gone."""
    if whole.mode != "bulk" or whole.blurred:
        return drop.gone.clear()
    active = _ledger(ledger).filter(pl.col("status") == ACTIVE)["sourcedId"]
    told = [whole.accepted["sourcedId"], whole.refused["sourcedId"], whole.withheld["sourcedId"], _settled(drop),
            drop.refused["sourcedId"]]  # fmt: skip
    held = decided.filter(pl.col("fingerprint").is_null())["sourcedId"]
    return active.filter(~active.is_in(pl.concat([*told, held]).implode()))


def _added(drop: Judged, late: pl.DataFrame, gone: pl.Series) -> Judged:
    accepted = pl.concat([drop.accepted.drop(ROW), late.drop(ROW)], how="diagonal").with_row_index(ROW, 1)
    columns = frozenset(name for name in late.columns if late.height and late[name].count())
    return replace(drop, accepted=accepted, gone=pl.concat([drop.gone, gone]), said=drop.said | columns)


def _settled(drop: Judged) -> pl.Series:
    """The ids of which a drop says something that counts: whose row it refuses stays as it was, and may be in arrears."""
    return pl.concat([drop.accepted["sourcedId"], drop.withheld["sourcedId"], drop.gone])


def _ledger(known: pl.DataFrame | None) -> pl.DataFrame:
    if known is None:
        return pl.DataFrame(schema=MARKED | {"status": pl.String})
    return known.filter(pl.col("status").is_in(IN_TARGET)).select(*MARKED, "status")
