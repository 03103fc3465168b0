"""What the target has acknowledged: read once at the start of a run, written after every batch."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import polars as pl
from sqlalchemy import ColumnElement, Connection, Table, delete, func, select, update

from connectors.ledger import forget as forgotten
from connectors.ledger import history, salts
from connectors.ledger import history as gone
from connectors.ledger import records as renamed
from connectors.ledger import records as told
from connectors.ledger.database import (
    Absent,
    Types,
    copy_tables,
    make_tables,
    opened,
    shown,
    version_of,
)
from connectors.ledger.forget import Erasure
from connectors.ledger.history import Decision, Plan, PlanStatus, Run, prune
from connectors.ledger.lock import Holder, held, holder
from connectors.ledger.records import (
    claims_of,
    each,
    entities,
    feed_id,
    made_feed_id,
    move,
    other_feeds,
    put,
    rows_of,
)
from connectors.ledger.salts import Kept
from connectors.ledger.tables import (
    FEEDS,
    INTENTS,
    MOMENTS,
    PLANS,
    RECORDS,
    RUNS,
    VERSION,
    FeedKey,
    LedgerError,
)
from transforms.changes import ACTIVE, ENDS, FIELDS, FINGERPRINT, IN_TARGET, LABEL, PARENTS, SCHOOL
from transforms.guard import PLANNED_COLUMNS
from transforms.guard.context import TOTALS
from transforms.moments import MOMENT, OWNER, Moments

ID: Types = {"sourced_id": pl.String}
KNOWN: Types = ID | {"fingerprint": pl.Int64, "status": pl.String}
DETAILS: Types = KNOWN | dict.fromkeys(
    ("school", "parents", "label", "fields", "ends", "run"), pl.String
)
MARKED: Types = ID | {"moment": pl.Int64}
SENT = {"sourced_id": "sourcedId", "fingerprint": FINGERPRINT}
ACKNOWLEDGED = SENT | {
    "school": SCHOOL,
    "parents": PARENTS,
    "label": LABEL,
    "fields": FIELDS,
    "ends": ENDS,
}
# The plans whose new records the target lacks as long as the ledger does not know of them.
AWAITED: tuple[PlanStatus, ...] = ("open", "approved", "discarded", "expired")
# Up to so many ids are asked for by name, some at once; for more it is faster to read the whole entity.
FEW, AT_ONCE = 20_000, 1000


class Ledger:
    """The ledger in a file, or on a PostgreSQL server by its address; made if it is not there. Raises `LedgerError`."""

    def __init__(self, place: Path | str, *, make: bool = True) -> None:
        self.place = shown(place)
        self._database = opened(place, make=make)
        try:
            self._prepare(make)
        except LedgerError:
            self.close()
            raise

    @classmethod
    def reading(cls, place: Path | str) -> Self:
        """Open a ledger to read it; one that does not exist knows nothing, and is not made."""
        return cls(place, make=False)

    def _prepare(self, make: bool) -> None:
        version = version_of(self._database)
        if version == 0 and not make:
            self.close()
            self._database = Absent(self.place)
        elif version != VERSION:
            make_tables(self._database)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the database; nothing is pending, since every write is committed when it returns."""
        self._database.close()

    def known(self, key: FeedKey) -> dict[str, pl.DataFrame]:
        """What the target holds of this feed: per entity `sourcedId`, `fingerprint` (Int64) and `status`."""
        return self._by_entity(RECORDS, key, KNOWN)

    def of_others(
        self, key: FeedKey, names: Sequence[str], statuses: Sequence[str] = IN_TARGET
    ) -> dict[str, pl.Series]:
        """Per entity, the ids that the same target holds of other feeds, in some of the statuses."""
        with self._database.reading() as connection:
            feeds = other_feeds(connection, key)
        held = {name: [self._rows(RECORDS, feed, name, KNOWN) for feed in feeds] for name in names}
        found = {
            name: pl.concat(frames).filter(pl.col("status").is_in(statuses))
            for name, frames in held.items()
            if frames
        }
        return {name: frame["sourcedId"] for name, frame in found.items() if frame.height}

    def claims(
        self, key: FeedKey, entity: str, ids: pl.Series, statuses: Sequence[str] = IN_TARGET
    ) -> pl.DataFrame:
        """Those of the ids (`sourcedId`) that the same target holds of other feeds, in some of the statuses, and of which `feed`."""
        types = ID | {"feed": pl.String}
        frames = [
            self._database.bulk(claims_of(key, entity, part, statuses), types)
            for part in _some(ids)
        ]
        held = pl.concat(
            [_empty(types), *(frame.rename({"sourced_id": "sourcedId"}) for frame in frames)]
        )
        return held.filter(pl.col("sourcedId").is_in(ids.implode()))

    def schools_of(self, key: FeedKey, entity: str) -> pl.DataFrame:
        """The schools (`sourcedId`, `school`) of the records of an entity that the target holds, of whichever feed."""
        types = ID | dict.fromkeys(("status", "school"), pl.String)
        with self._database.reading() as connection:
            feeds = [*filter(None, [feed_id(connection, key)]), *other_feeds(connection, key)]
        rows = pl.concat(
            [_empty(types), *(self._rows(RECORDS, feed, entity, types) for feed in feeds)]
        )
        return (
            rows.filter(pl.col("status").is_in(IN_TARGET))
            .select("sourcedId", "school")
            .unique("sourcedId")
        )

    def details(self, key: FeedKey, entity: str, ids: pl.Series | None = None) -> pl.DataFrame:
        """All that is kept of the records of one entity, or of those among `ids`; what is blank is null."""
        feed = self._feed(key)
        if feed is None:
            return _empty(DETAILS)
        frame = pl.concat(self._rows(RECORDS, feed, entity, DETAILS, part) for part in _some(ids))
        frame = frame.with_columns(pl.col(pl.String).replace("", None))
        return frame if ids is None else frame.filter(pl.col("sourcedId").is_in(ids.implode()))

    def intended(self, key: FeedKey) -> dict[str, frozenset[str]]:
        """Per entity, the ids that a killed run may have sent, and whose answer never came."""
        frames = self._by_entity(INTENTS, key, ID)
        return {entity: frozenset(frame["sourcedId"]) for entity, frame in frames.items()}

    def intend(self, key: FeedKey, entity: str, sent: pl.DataFrame, run: str) -> None:
        """Note what is about to be sent (`sourcedId`, `#fingerprint`); it is on the disk when this returns."""
        with self._writing(key) as (connection, feed):
            put(connection, INTENTS, sent, SENT, feed_id=feed, entity=entity, run=run)

    def record(
        self,
        key: FeedKey,
        entity: str,
        acknowledged: pl.DataFrame,
        left: Mapping[str, Sequence[str]],
        settled: Sequence[str],
        run: str,
    ) -> None:
        """Note what the target answered, all of it or nothing.

        `acknowledged` are the records that it holds now (`sourcedId`, `#fingerprint`, `#school`,
        `#parents`, `#label`, `#fields`, `#ends`), `left` the ids that it has deleted, disabled or ended, by
        the status that their rows get, `settled` the ids that were answered, whatever the answer: they are no longer intended.
        """
        if ENDS not in acknowledged.columns:
            acknowledged = acknowledged.with_columns(pl.lit(None, pl.String).alias(ENDS))
        with self._writing(key) as (connection, feed):
            put(
                connection,
                RECORDS,
                acknowledged,
                ACKNOWLEDGED,
                feed_id=feed,
                entity=entity,
                status=ACTIVE,
                run=run,
            )
            for status, ids in left.items():
                each(
                    connection,
                    update(RECORDS).values(status=status, run=run),
                    RECORDS,
                    feed,
                    entity,
                    ids,
                )
            each(connection, delete(INTENTS), INTENTS, feed, entity, settled)

    def mark(self, key: FeedKey, entity: str, status: str, ids: Sequence[str], run: str) -> None:
        """Give records another status of which the target knows nothing: kept, or back."""
        with self._writing(key) as (connection, feed):
            each(
                connection,
                update(RECORDS).values(status=status, run=run),
                RECORDS,
                feed,
                entity,
                ids,
            )

    def totals(self, key: FeedKey) -> pl.DataFrame:
        """How many active records of a feed the ledger knows: `entity`, `school` (null: none), `records`."""
        feed = self._feed(key)
        if feed is None:
            return pl.DataFrame(schema=TOTALS)
        columns = (RECORDS.c.entity, RECORDS.c.school)
        query = select(*columns, func.count()).where(
            RECORDS.c.feed_id == feed, RECORDS.c.status == ACTIVE
        )
        with self._database.reading() as connection:
            rows = connection.execute(query.group_by(*columns)).all()
        return pl.DataFrame([tuple(row) for row in rows], schema=TOTALS, orient="row")

    def left_since(self, key: FeedKey, since: datetime, *, but: str) -> dict[str, int]:
        """How many records of each entity were removed by runs since a moment (in UTC), one run aside; what a person let go is left out."""
        feed = self._feed(key)
        with self._database.reading() as connection:
            return {} if feed is None else gone.removed_since(connection, feed, since, but)

    def moments(self, key: FeedKey, entity: str, ids: pl.Series) -> pl.DataFrame:
        """When what was accepted of a delta's rows was last changed, for those of the ids of which that is known."""
        feed = self._feed(key)
        types = {"sourcedId": pl.String, MOMENT: pl.Int64}
        if feed is None:
            return pl.DataFrame(schema=types)
        frame = pl.concat(
            self._rows(MOMENTS, feed, entity, MARKED, part) for part in _some(ids.drop_nulls())
        )
        return frame.select("sourcedId", pl.col("moment").alias(MOMENT)).filter(
            pl.col("sourcedId").is_in(ids.implode())
        )

    def note_moments(self, key: FeedKey, new: Moments) -> None:
        """Keep what `moments` gives."""
        if new:
            columns = {"sourced_id": "sourcedId", "moment": MOMENT, "owner": OWNER}
            with self._writing(key) as (connection, feed):
                for entity, frame in new.items():
                    put(connection, MOMENTS, frame, columns, feed_id=feed, entity=entity)

    def feeds(self) -> list[FeedKey]:
        """Name every feed of which the ledger has heard, in order."""
        query = select(FEEDS.c.target, FEEDS.c.feed).order_by(FEEDS.c.feed, FEEDS.c.target)
        with self._database.reading() as connection:
            return [FeedKey(row.target, row.feed) for row in connection.execute(query)]

    def begin(self, run: Run) -> None:
        """Note that a run has begun."""
        with self._writing(run.key) as (connection, feed):
            history.write_run(connection, feed, run, new=True)

    def finish(self, run: Run) -> None:
        """Note how a run ended."""
        with self._writing(run.key) as (connection, feed):
            history.write_run(connection, feed, run, new=False)

    def runs(self, key: FeedKey | None = None, *, last: int | None = None) -> list[Run]:
        """Give the runs of a feed, or of all, the newest first."""
        with self._database.reading() as connection:
            return history.read_runs(connection, *_of(key), last=last)

    def run(self, run: str) -> Run | None:
        """Give one run; None if there was none of that id."""
        with self._database.reading() as connection:
            return next(iter(history.read_runs(connection, RUNS.c.id == run)), None)

    def propose(self, plan: Plan, records: pl.DataFrame) -> None:
        """Keep a plan with its records; it takes the place of the feed's other open plans.

        One with the same id is renewed: one that was approved stays so, one that was decided on
        otherwise is open again.
        """
        with self._writing(plan.key) as (connection, feed):
            history.write_plan(connection, feed, plan, records)

    def plan(self, plan: str) -> Plan | None:
        """Give one plan; None if there is none of that id."""
        with self._database.reading() as connection:
            return next(iter(history.read_plans(connection, PLANS.c.id == plan)), None)

    def plans(self, key: FeedKey | None = None, *, status: str | None = None) -> list[Plan]:
        """Give the plans of a feed, or of all, in one status, or in any, the newest first."""
        in_status = () if status is None else (PLANS.c.status == status,)
        with self._database.reading() as connection:
            return history.read_plans(connection, *_of(key), *in_status)

    def planned(self, plan: str) -> pl.DataFrame:
        """Give what a plan is to do: a row for each record."""
        with self._database.reading() as connection:
            return history.read_planned(connection, plan, PLANNED_COLUMNS)

    def awaited(self, key: FeedKey) -> dict[str, list[str]]:
        """Per entity, the ids of new records that plans of a feed hold, and that the target does not have.

        What a person has let go of, or let expire, is not there either: nothing may name it.
        """
        plans = [self.planned(plan.id) for plan in self.plans(key) if plan.status in AWAITED]
        new = pl.concat([pl.DataFrame(schema=PLANNED_COLUMNS), *plans]).filter(
            pl.col("action").is_in(["create", "revive"])
        )
        known = self.known(key) if new.height else {}
        found = {
            name: new.filter(entity=name)["sourcedId"]
            for name in new["entity"].unique(maintain_order=True)
        }
        there = {
            name: known[name].filter(pl.col("status").is_in(IN_TARGET))["sourcedId"]
            for name in found
            if name in known
        }
        return {
            name: ids.filter(~ids.is_in(there[name].implode())).to_list()
            if name in there
            else ids.to_list()
            for name, ids in found.items()
        }

    def decide(self, plan: str, status: PlanStatus, *, by: str, note: str, at: datetime) -> bool:
        """Approve, discard, expire or close a plan, and keep who did; False if it is in no state for that."""
        found = self.plan(plan)
        if found is None:
            return False
        with self._writing(found.key) as (connection, _):
            return history.decide(connection, Decision(plan, at, by, status, note))

    def decisions(self, plan: str) -> list[Decision]:
        """Give every decision on a plan."""
        with self._database.reading() as connection:
            return history.read_decisions(connection, plan)

    def prune(self, key: FeedKey, before: datetime) -> None:
        """Delete the records of a feed's plans that were closed before a moment (in UTC)."""
        with self._writing(key) as (connection, feed):
            prune(connection, feed, before)

    def told(self, key: FeedKey) -> frozenset[str]:
        """The causes of which somebody was told of a feed, and which are not over."""
        feed = self._feed(key)
        with self._database.reading() as connection:
            return frozenset() if feed is None else told.notified_causes(connection, feed)

    def note_told(
        self,
        key: FeedKey,
        causes: Collection[str],
        *,
        over: Collection[str],
        run: str,
        at: datetime,
    ) -> None:
        """Keep of which causes somebody was told, and forget those that are `over`."""
        if causes or over:
            with self._writing(key) as (connection, feed):
                told.note_notified(connection, feed, causes, run, at)
                told.forget_notified(connection, feed, over)

    def renamed(self, key: FeedKey) -> dict[tuple[str, str], str]:
        """The ids that a feed's source has given up for others: by entity and new id, the one that the target knows."""
        feed = self._feed(key)
        with self._database.reading() as connection:
            return {} if feed is None else renamed.renamed_ids(connection, feed)

    def note_renamed(self, key: FeedKey, new: Mapping[tuple[str, str], str], run: str) -> None:
        """Keep what `renamed` gives."""
        if new:
            with self._writing(key) as (connection, feed):
                renamed.note_renamed(connection, feed, new, run)

    def salt(self, key: FeedKey) -> Kept | None:
        """By which salt the ids of the feed, or of others of its district, were made of personal data; None if none was."""
        with self._database.reading() as connection:
            return salts.salt(connection, salts.district(connection, key))

    def note_salt(self, key: FeedKey, kept: Kept, run: str) -> None:
        """Keep what `salt` gives; the first salt stays."""
        with self._writing(key) as (connection, feed):
            salts.note(connection, feed, kept, run)

    def readable(self, key: FeedKey) -> frozenset[str]:
        """The ids of people that the target was sent, or may have been, and that are made of something: it can be read in them."""
        with self._database.reading() as connection:
            return salts.readable(connection, key.target)

    def forgotten(self) -> frozenset[str]:
        """The digests of the ids of all who are forgotten, in every feed."""
        with self._database.reading() as connection:
            return forgotten.digests(connection)

    def note_forgotten(self, digest: str, *, at: datetime, by: str, note: str) -> None:
        """Keep that somebody is forgotten, by the digest of the id."""
        with self._database.writing() as connection:
            forgotten.note(connection, digest, at, by, note)

    def of_person(self, key: FeedKey, person: str) -> dict[str, list[str]]:
        """Per entity, the ids of a feed's records that are of a person, or belong to that person."""
        feed = self._feed(key)
        with self._database.reading() as connection:
            return {} if feed is None else forgotten.of_person(connection, feed, person)

    def awaits(self, key: FeedKey, person: str) -> bool:
        """Whether a person is on the way to the target, or stands in a plan of a feed."""
        feed = self._feed(key)
        with self._database.reading() as connection:
            return feed is not None and forgotten.awaited(connection, feed, person)

    def erase(self, key: FeedKey, erasure: Erasure) -> list[str]:
        """Take a person out of a feed, all or nothing; give the open plans of which nothing is left."""
        with self._writing(key) as (connection, feed):
            return forgotten.erase(connection, feed, erasure)

    def move(self, old: FeedKey, new: FeedKey) -> None:
        """Give all that is kept of a feed to another name of the same target, all or nothing; who moves holds both."""
        feed = self._feed(old)
        if feed is not None:
            with self._writing(new) as (connection, to):
                move(connection, feed, to)

    def compact(self) -> None:
        """Leave nothing of what was deleted in the database's files, as far as that is ours to do."""
        self._database.compact()

    def copy_into(self, other: Ledger) -> None:
        """Copy everything into a ledger that is new."""
        with self._database.reading() as of, other._database.writing() as into:
            copy_tables(of, into)

    def hold(self, key: FeedKey, run: str) -> AbstractContextManager[None]:
        """Hold a feed while the body runs; raises `Busy` at once if another run holds it."""
        return held(self._database, key, run)

    def holder(self, key: FeedKey) -> Holder | None:
        """Who holds a feed now; None if nobody does."""
        return holder(self._database, key)

    @contextmanager
    def _writing(self, key: FeedKey) -> Iterator[tuple[Connection, int]]:
        with self._database.writing() as connection:
            yield connection, made_feed_id(connection, key)

    def _feed(self, key: FeedKey) -> int | None:
        with self._database.reading() as connection:
            return feed_id(connection, key)

    def _by_entity(self, table: Table, key: FeedKey, types: Types) -> dict[str, pl.DataFrame]:
        feed = self._feed(key)
        if feed is None:
            return {}
        with self._database.reading() as connection:
            names = list(entities(connection, table, feed))
        return {entity: self._rows(table, feed, entity, types) for entity in names}

    def _rows(
        self, table: Table, feed: int, entity: str, types: Types, ids: pl.Series | None = None
    ) -> pl.DataFrame:
        query = rows_of(table, list(types), feed, entity)
        if ids is not None:
            query = query.where(table.c.sourced_id.in_(ids.to_list()))
        return self._database.bulk(query, types).rename({"sourced_id": "sourcedId"})


def _some(ids: pl.Series | None) -> list[pl.Series | None]:
    """The ids in parts that can be asked for by name; None for all there are."""
    if ids is None or ids.len() > FEW:
        return [None]
    return [ids[at : at + AT_ONCE] for at in range(0, max(ids.len(), 1), AT_ONCE)]


def _of(key: FeedKey | None) -> tuple[ColumnElement[bool], ...]:
    return () if key is None else (FEEDS.c.target == key.target, FEEDS.c.feed == key.feed)


def _empty(types: Types) -> pl.DataFrame:
    return pl.DataFrame(schema=types).rename({"sourced_id": "sourcedId"})
