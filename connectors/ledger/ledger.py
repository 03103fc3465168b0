"""What the target has acknowledged: read once at the start of a run, written after every batch."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

import polars as pl
from sqlalchemy import ColumnElement, Connection, Table, delete, func, select, update

from connectors.ledger import forget, history, records, salts
from connectors.ledger.database import (
    AbsentDatabase,
    copy_tables,
    make_indexes,
    make_tables,
    open_database,
    version_of,
    without_credentials,
)
from connectors.ledger.forget import Erasure
from connectors.ledger.history import Decision, Plan, PlanStatus, Run
from connectors.ledger.lock import Holder, current_holder, current_holders, hold
from connectors.ledger.newest_runs import ANY, Which, newest_runs, unchanged_since
from connectors.ledger.retry import Retries, repeat_methods
from connectors.ledger.salts import StoredSalt
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
    LedgerUnreachable,
    Types,
)
from connectors.patience import PATIENCE_SECONDS
from transforms.changes import ACTIVE, ENDS, FIELDS, FINGERPRINT, IN_TARGET, LABEL, PARENTS, SCHOOL
from transforms.guard import PLANNED_COLUMNS
from transforms.guard.context import TOTALS
from transforms.moments import MOMENT, OWNER, Timestamps
from transforms.ownership import CLAIMS, ITEMS, SHARING, TURN, YIELDS

ID: Types = {"sourced_id": pl.String}
KNOWN: Types = ID | {"fingerprint": pl.Int64, "status": pl.String}
DETAILS: Types = KNOWN | dict.fromkeys(
    ("school", "parents", "label", "fields", "ends", "run"), pl.String
)
SHARES: Types = ID | CLAIMS
CHANGE_TIMES: Types = ID | {"moment": pl.Int64}
SENT = {"sourced_id": "sourcedId", "fingerprint": FINGERPRINT}
ACKNOWLEDGED = SENT | {
    "school": SCHOOL,
    "parents": PARENTS,
    "label": LABEL,
    "fields": FIELDS,
    "ends": ENDS,
    "turn": TURN,
    "items": ITEMS,
    "yields": YIELDS,
}
# Statuses of plans whose new records may still be missing from the target.
AWAITED: tuple[PlanStatus, ...] = ("open", "approved", "discarded", "expired")
# Up to `QUERY_BY_ID_UP_TO` ids are queried by name, `AT_ONCE` at a time. Beyond, reading all rows
# is faster.
QUERY_BY_ID_UP_TO, AT_ONCE = 20_000, 1000


@repeat_methods("close", "decide", "hold", "stop_waiting")
class Ledger:
    """The ledger in a file, or on a PostgreSQL server at an address.

    It is created if it does not exist, unless `make` is false. Any method may raise `LedgerError`.
    If the server is away, a method first waits for it, for `patience` seconds at most; until then
    its caller goes on with nothing else.
    """

    def __init__(
        self, place: Path | str, *, make: bool = True, patience: float = PATIENCE_SECONDS
    ) -> None:
        self.place = without_credentials(place)
        self.retries = Retries(patience)
        self._others: dict[FeedKey, list[FeedKey]] = {}
        self._database = open_database(place, make=make)
        try:
            self.retries.run(lambda: self._prepare(make))
        except LedgerError:
            self.close()
            raise

    @classmethod
    def reading(cls, place: Path | str, *, patience: float = PATIENCE_SECONDS) -> Self:
        """Open a ledger to read it. A missing ledger reads as empty, and is not created."""
        return cls(place, make=False, patience=patience)

    def _prepare(self, make: bool) -> None:
        version = version_of(self._database)
        if version == 0 and not make:
            self.close()
            self._database = AbsentDatabase(self.place)
            return
        if version != VERSION:
            make_tables(self._database)
        if make:
            # Without them, `status` takes longer; a user who may only write rows cannot make them.
            with suppress(LedgerError):
                make_indexes(self._database)

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
        """Close the database. Nothing is lost: each write is committed when its method returns."""
        self._database.close()

    def known(self, key: FeedKey) -> dict[str, pl.DataFrame]:
        """Return what the target holds of this feed.

        A frame for each entity: `sourcedId`, `fingerprint` (Int64) and `status`.
        """
        return self._by_entity(RECORDS, key, KNOWN)

    def of_others(
        self, key: FeedKey, names: Sequence[str], statuses: Sequence[str] = IN_TARGET
    ) -> dict[str, pl.Series]:
        """Return the ids that other feeds have in the same target, in some statuses, by entity."""
        with self._database.reading() as connection:
            feeds = records.other_feeds(connection, key)
        known = {name: [self._rows(RECORDS, feed, name, KNOWN) for feed in feeds] for name in names}
        in_status = {
            name: pl.concat(frames).filter(pl.col("status").is_in(statuses))
            for name, frames in known.items()
            if frames
        }
        return {name: frame["sourcedId"] for name, frame in in_status.items() if frame.height}

    def claims(
        self, key: FeedKey, entity: str, ids: pl.Series, statuses: Sequence[str] = IN_TARGET
    ) -> pl.DataFrame:
        """Return which of the ids other feeds have in the same target, in some statuses.

        Columns: `sourcedId`, `feed`, `label`, `parents` and `ends`.
        """
        types = ID | dict.fromkeys(("feed", "label", "parents", "ends"), pl.String)
        frames = [
            self._database.bulk(records.claims_query(key, entity, part, statuses), types)
            for part in _parts_of(ids)
        ]
        claims = pl.concat(
            [_empty(types), *(frame.rename({"sourced_id": "sourcedId"}) for frame in frames)]
        )
        return claims.filter(pl.col("sourcedId").is_in(ids.implode()))

    def shares(self, key: FeedKey, entity: str, ids: pl.Series | None = None) -> pl.DataFrame:
        """Return what this feed and others have of the records that others have too.

        Only those of `ids` or, if that is None, those that this feed has as active. Columns:
        `sourcedId` and those of `CLAIMS`.
        """
        with self._database.reading() as connection:
            others = records.other_feeds(connection, key)
            own = records.feed_id(connection, key)
        if not others or (ids is None and own is None):
            return _empty(SHARES)
        theirs = self._shares(others, entity, ids, own)
        if own is None or not theirs.height:
            return theirs
        return pl.concat([theirs, self._shares([own], entity, theirs["sourcedId"].unique(), own)])

    def _shares(
        self, feeds: Sequence[int], entity: str, ids: pl.Series | None, own: int | None
    ) -> pl.DataFrame:
        if ids is not None and not ids.len():
            return _empty(SHARES)
        found = [
            self._database.bulk(records.shares_query(feeds, entity, part, own), SHARES)
            for part in ([None] if ids is None else _parts_of(ids, everything=False))
        ]
        return pl.concat(
            [_empty(SHARES), *(one.rename({"sourced_id": "sourcedId"}) for one in found)]
        )

    def other_feeds(self, key: FeedKey) -> list[FeedKey]:
        """Return the other feeds into the same target. They are read once."""
        if key not in self._others:
            self._others[key] = [
                one for one in self.feeds() if one.target == key.target and one != key
            ]
        return self._others[key]

    def schools_of(self, key: FeedKey, entity: str) -> pl.DataFrame:
        """Return the schools of an entity's records in the target, those of all feeds.

        Columns: `sourcedId` and `school`.
        """
        types = ID | dict.fromkeys(("status", "school"), pl.String)
        with self._database.reading() as connection:
            feeds = [
                *filter(None, [records.feed_id(connection, key)]),
                *records.other_feeds(connection, key),
            ]
        rows = pl.concat(
            [_empty(types), *(self._rows(RECORDS, feed, entity, types) for feed in feeds)]
        )
        return (
            rows.filter(pl.col("status").is_in(IN_TARGET))
            .select("sourcedId", "school")
            .unique("sourcedId")
        )

    def details(self, key: FeedKey, entity: str, ids: pl.Series | None = None) -> pl.DataFrame:
        """Return all columns of one entity's records, or of those among `ids`. Blanks are null."""
        feed = self._feed(key)
        if feed is None:
            return _empty(DETAILS)
        frame = pl.concat(
            self._rows(RECORDS, feed, entity, DETAILS, part) for part in _parts_of(ids)
        )
        frame = frame.with_columns(pl.col(pl.String).replace("", None))
        return frame if ids is None else frame.filter(pl.col("sourcedId").is_in(ids.implode()))

    def intended(self, key: FeedKey) -> dict[str, frozenset[str]]:
        """Return the ids that a killed run may have sent without getting an answer, by entity."""
        frames = self._by_entity(INTENTS, key, ID)
        return {entity: frozenset(frame["sourcedId"]) for entity, frame in frames.items()}

    def intend(self, key: FeedKey, entity: str, sent: pl.DataFrame, run: str) -> None:
        """Record what is about to be sent: `sourcedId`, `#fingerprint`. On the disk on return."""
        with self._writing(key) as (connection, feed):
            records.upsert_frame(
                connection, INTENTS, sent, SENT, feed_id=feed, entity=entity, run=run
            )

    def record(
        self,
        key: FeedKey,
        entity: str,
        acknowledged: pl.DataFrame,
        left: Mapping[str, Sequence[str]],
        settled: Sequence[str],
        run: str,
    ) -> None:
        """Record the target's answers to a batch, all or nothing.

        Args:
            key: The feed.
            entity: The entity of all records.
            acknowledged: The records that the target holds now: `sourcedId`, `#fingerprint`,
                `#school`, `#parents`, `#label`, `#fields`, and perhaps `#ends`, `#turn`, `#items`
                and `#yields`. The last three stay as they were if they are left out.
            left: The ids that the target deleted, disabled or ended, by their new status.
            settled: The ids that got any answer. Their intents are deleted.
            run: The run that sent them.
        """
        if ENDS not in acknowledged.columns:
            acknowledged = acknowledged.with_columns(pl.lit(None, pl.String).alias(ENDS))
        columns = {
            name: column for name, column in ACKNOWLEDGED.items() if column in acknowledged.columns
        }
        with self._writing(key) as (connection, feed):
            records.upsert_frame(
                connection,
                RECORDS,
                acknowledged,
                columns,
                feed_id=feed,
                entity=entity,
                status=ACTIVE,
                run=run,
            )
            for status, ids in left.items():
                records.run_for_ids(
                    connection,
                    update(RECORDS).values(status=status, run=run),
                    RECORDS,
                    feed,
                    entity,
                    ids,
                )
            records.run_for_ids(connection, delete(INTENTS), INTENTS, feed, entity, settled)

    def mark(self, key: FeedKey, entity: str, status: str, ids: Sequence[str], run: str) -> None:
        """Change the status of records without a request to the target: to kept, or back."""
        with self._writing(key) as (connection, feed):
            records.run_for_ids(
                connection,
                update(RECORDS).values(status=status, run=run),
                RECORDS,
                feed,
                entity,
                ids,
            )

    def note_shares(self, key: FeedKey, entity: str, shares: pl.DataFrame) -> None:
        """Record how records are shared that stay as they are: `sourcedId`, and `SHARING`."""
        if shares.height:
            with self._writing(key) as (connection, feed):
                for (turn, items, yields), rows in shares.group_by(SHARING):
                    records.run_for_ids(
                        connection,
                        update(RECORDS).values(turn=turn, items=items, yields=yields),
                        RECORDS,
                        feed,
                        entity,
                        rows["sourcedId"].to_list(),
                    )

    def totals(self, key: FeedKey) -> pl.DataFrame:
        """Count the active records of a feed: `entity`, `school` (null: none), `records`."""
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
        """Count the records of each entity that runs removed since a time in UTC, except run `but`.

        Removals that a person approved do not count.
        """
        feed = self._feed(key)
        with self._database.reading() as connection:
            return {} if feed is None else history.removed_since(connection, feed, since, but)

    def moments(self, key: FeedKey, entity: str, ids: pl.Series) -> pl.DataFrame:
        """Return when the accepted delta rows of some ids were last changed, where it is known.

        Columns: `sourcedId` and `MOMENT`, in microseconds since 1970 (UTC).
        """
        feed = self._feed(key)
        types = {"sourcedId": pl.String, MOMENT: pl.Int64}
        if feed is None:
            return pl.DataFrame(schema=types)
        frame = pl.concat(
            self._rows(MOMENTS, feed, entity, CHANGE_TIMES, part)
            for part in _parts_of(ids.drop_nulls())
        )
        return frame.select("sourcedId", pl.col("moment").alias(MOMENT)).filter(
            pl.col("sourcedId").is_in(ids.implode())
        )

    def note_moments(self, key: FeedKey, new: Timestamps) -> None:
        """Record the times that `moments` returns."""
        if new:
            columns = {"sourced_id": "sourcedId", "moment": MOMENT, "owner": OWNER}
            with self._writing(key) as (connection, feed):
                for entity, frame in new.items():
                    records.upsert_frame(
                        connection, MOMENTS, frame, columns, feed_id=feed, entity=entity
                    )

    def feeds(self) -> list[FeedKey]:
        """Return every feed in the ledger, in order."""
        query = select(FEEDS.c.target, FEEDS.c.feed).order_by(FEEDS.c.feed, FEEDS.c.target)
        with self._database.reading() as connection:
            return [FeedKey(row.target, row.feed) for row in connection.execute(query)]

    def begin(self, run: Run) -> None:
        """Record that a run has begun."""
        with self._writing(run.key) as (connection, feed):
            history.write_run(connection, feed, run, new=True)

    def finish(self, run: Run) -> None:
        """Record how a run ended."""
        with self._writing(run.key) as (connection, feed):
            history.write_run(connection, feed, run, new=False)

    def runs(self, key: FeedKey | None = None, *, last: int | None = None) -> list[Run]:
        """Return the runs of a feed, or of all feeds, the newest first."""
        with self._database.reading() as connection:
            return history.read_runs(connection, *_of(key), last=last)

    def newest_runs(
        self, keys: Collection[FeedKey], count: int, which: Which = ANY
    ) -> dict[FeedKey, list[Run]]:
        """Return up to `count` runs of each of some feeds, the newest first.

        One query for all feeds, which reads no more runs than it must.
        """
        with self._database.reading() as connection:
            return newest_runs(connection, keys, count, which)

    def unchanged_since(self, runs: Collection[Run]) -> dict[str, datetime]:
        """Return when the first of the runs up to each of these accepted the same roster, by id.

        Only runs in a row count, apart from those that accepted none.
        """
        with self._database.reading() as connection:
            return unchanged_since(connection, runs)

    def run(self, run: str) -> Run | None:
        """Return one run, None if the id is unknown."""
        with self._database.reading() as connection:
            return next(iter(history.read_runs(connection, RUNS.c.id == run)), None)

    def propose(self, plan: Plan, records: pl.DataFrame) -> None:
        """Store a plan with its records; it replaces the feed's other open plans.

        If a plan with the same id exists, it is renewed. An approved plan stays approved; any other
        plan is open again.
        """
        with self._writing(plan.key) as (connection, feed):
            history.write_plan(connection, feed, plan, records)

    def plan(self, plan: str) -> Plan | None:
        """Return one plan, None if the id is unknown."""
        with self._database.reading() as connection:
            return next(iter(history.read_plans(connection, PLANS.c.id == plan)), None)

    def plans(self, key: FeedKey | None = None, *, status: PlanStatus | None = None) -> list[Plan]:
        """Return the plans of a feed or of all feeds, in one status or in any, the newest first."""
        in_status = () if status is None else (PLANS.c.status == status,)
        with self._database.reading() as connection:
            return history.read_plans(connection, *_of(key), *in_status)

    def planned(self, plan: str) -> pl.DataFrame:
        """Return the changes of a plan, a row for each record."""
        with self._database.reading() as connection:
            return history.read_planned(connection, plan, PLANNED_COLUMNS)

    def awaited(self, key: FeedKey) -> dict[str, list[str]]:
        """Return the ids of new records that plans of a feed hold and the target lacks, by entity.

        Discarded and expired plans count too: no request may refer to their records either.
        """
        plans = [self.planned(plan.id) for plan in self.plans(key) if plan.status in AWAITED]
        new = pl.concat([pl.DataFrame(schema=PLANNED_COLUMNS), *plans]).filter(
            pl.col("action").is_in(["create", "revive"])
        )
        known = self.known(key) if new.height else {}
        awaited: dict[str, list[str]] = {}
        for name in new["entity"].unique(maintain_order=True):
            ids = new.filter(entity=name)["sourcedId"]
            if name in known:
                in_target = known[name].filter(pl.col("status").is_in(IN_TARGET))["sourcedId"]
                ids = ids.filter(~ids.is_in(in_target.implode()))
            awaited[name] = ids.to_list()
        return awaited

    def decide(self, plan: str, status: PlanStatus, *, by: str, note: str, at: datetime) -> bool:
        """Approve, discard, expire or close a plan, and record who did.

        Returns False if the plan's status does not allow it, or there is no such plan.
        """
        before = self.plan(plan)
        if before is None:
            return False
        decision, attempts = Decision(plan, at, by, status, note), count()

        def attempt() -> bool:
            with self._writing(before.key) as (connection, _):
                return history.decide(connection, decision, again=next(attempts) > 0)

        return self.retries.run(attempt)

    def decisions(self, plan: str) -> list[Decision]:
        """Return every decision on a plan, the oldest first."""
        with self._database.reading() as connection:
            return history.read_decisions(connection, plan)

    def prune(self, key: FeedKey, before: datetime) -> None:
        """Delete the records of a feed's plans that were closed before a time in UTC."""
        with self._writing(key) as (connection, feed):
            history.delete_closed_plans(connection, feed, before)

    def notified(self, key: FeedKey) -> frozenset[str]:
        """Return the causes of a feed that people were notified of and that are not over."""
        feed = self._feed(key)
        with self._database.reading() as connection:
            return frozenset() if feed is None else records.notified_causes(connection, feed)

    def note_notified(
        self,
        key: FeedKey,
        causes: Collection[str],
        *,
        over: Collection[str],
        run: str,
        at: datetime,
    ) -> None:
        """Record the causes that people were notified of, and delete those that are `over`."""
        if causes or over:
            with self._writing(key) as (connection, feed):
                records.note_notified(connection, feed, causes, run, at)
                records.forget_notified(connection, feed, over)

    def renamed(self, key: FeedKey) -> dict[tuple[str, str], str]:
        """Return the ids that the source replaced: by entity and new id, the id in the target."""
        feed = self._feed(key)
        with self._database.reading() as connection:
            return {} if feed is None else records.renamed_ids(connection, feed)

    def note_renamed(self, key: FeedKey, new: Mapping[tuple[str, str], str], run: str) -> None:
        """Record the ids that `renamed` returns."""
        if new:
            with self._writing(key) as (connection, feed):
                records.note_renamed(connection, feed, new, run)

    def salt(self, key: FeedKey) -> StoredSalt | None:
        """Return the salt with which ids of the feed or its district were made from personal data.

        None if no ids were made that way.
        """
        with self._database.reading() as connection:
            return salts.read_salt(connection, salts.feeds_of_district(connection, key))

    def note_salt(self, key: FeedKey, kept: StoredSalt, run: str) -> None:
        """Record the salt that `salt` returns. The first salt of a feed stays."""
        with self._writing(key) as (connection, feed):
            salts.record_salt(connection, feed, kept, run)

    def readable(self, key: FeedKey) -> frozenset[str]:
        """Return people's ids with readable parts that the target has, or may get."""
        with self._database.reading() as connection:
            return salts.readable_ids(connection, key.target)

    def forgotten(self) -> frozenset[str]:
        """Return the digests of the ids of all forgotten people, in every feed."""
        with self._database.reading() as connection:
            return forget.forgotten_digests(connection)

    def note_forgotten(self, digest: str, *, at: datetime, by: str, note: str) -> None:
        """Record that a person is forgotten, by the digest of the id."""
        with self._database.writing() as connection:
            forget.record_forgotten(connection, digest, at, by, note)

    def of_person(self, key: FeedKey, person: str) -> dict[str, list[str]]:
        """Return the ids of a feed's records of a person or belonging to one, by entity."""
        feed = self._feed(key)
        with self._database.reading() as connection:
            return {} if feed is None else forget.ids_of_person(connection, feed, person)

    def awaits(self, key: FeedKey, person: str) -> bool:
        """Return whether a person has an intent or is part of a plan of a feed."""
        feed = self._feed(key)
        with self._database.reading() as connection:
            return feed is not None and forget.is_waiting_for(connection, feed, person)

    def erase(self, key: FeedKey, erasure: Erasure) -> list[str]:
        """Erase a person from a feed, all or nothing; return the open plans that are empty now."""
        with self._writing(key) as (connection, feed):
            return forget.erase(connection, feed, erasure)

    def move(self, old: FeedKey, new: FeedKey) -> None:
        """Move everything of a feed to another name in the same target, all or nothing.

        The caller must hold both feeds.
        """
        feed = self._feed(old)
        if feed is not None:
            with self._writing(new) as (connection, to):
                records.move_feed(connection, feed, to)

    def compact(self) -> None:
        """Remove deleted rows from the database's files, as far as we can."""
        self._database.compact()

    def copy_into(self, other: Ledger) -> None:
        """Copy everything into a new ledger."""
        with self._database.reading() as source, other._database.writing() as target:
            copy_tables(source, target)

    @contextmanager
    def hold(self, key: FeedKey, run: str) -> Iterator[None]:
        """Hold a feed while the body runs. Raises `Busy` at once if another run holds it."""
        with ExitStack() as held:
            self.retries.run(lambda: held.enter_context(hold(self._database, key, run)))
            yield

    def stop_waiting(self) -> None:
        """Wait no longer for a server that is away. A handler of a signal may call this."""
        self.retries.end()

    def is_ours_alone(self) -> bool:
        """Return whether no other run can have any of the feeds that are held through this ledger.

        A lock that the server has lost is taken back first. While the server is away, nobody can
        take one.
        """
        try:
            self._database.confirm_locks()
        except LedgerUnreachable:
            return True
        except LedgerError:
            return False
        return True

    def holder(self, key: FeedKey) -> Holder | None:
        """Return the run that holds a feed now, None if there is none."""
        return current_holder(self._database, key)

    def holders(self, keys: Collection[FeedKey]) -> dict[FeedKey, Holder | None]:
        """Return the feeds that runs hold now; None for a run that has not recorded itself yet."""
        return current_holders(self._database, keys)

    @contextmanager
    def _writing(self, key: FeedKey) -> Iterator[tuple[Connection, int]]:
        with self._database.writing() as connection:
            yield connection, records.insert_feed_id(connection, key)

    def _feed(self, key: FeedKey) -> int | None:
        with self._database.reading() as connection:
            return records.feed_id(connection, key)

    def _by_entity(self, table: Table, key: FeedKey, types: Types) -> dict[str, pl.DataFrame]:
        feed = self._feed(key)
        if feed is None:
            return {}
        with self._database.reading() as connection:
            names = list(records.entities(connection, table, feed))
        return {entity: self._rows(table, feed, entity, types) for entity in names}

    def _rows(
        self, table: Table, feed: int, entity: str, types: Types, ids: pl.Series | None = None
    ) -> pl.DataFrame:
        query = records.rows_query(table, list(types), feed, entity)
        if ids is not None:
            query = query.where(table.c.sourced_id.in_(ids.to_list()))
        return self._database.bulk(query, types).rename({"sourced_id": "sourcedId"})


def _parts_of(ids: pl.Series | None, *, everything: bool = True) -> list[pl.Series | None]:
    """Split ids into parts that can be queried by name; one None means the whole entity.

    Unless `everything` is set, there are parts however many ids there are.
    """
    if ids is None or (everything and ids.len() > QUERY_BY_ID_UP_TO):
        return [None]
    return [ids[at : at + AT_ONCE] for at in range(0, max(ids.len(), 1), AT_ONCE)]


def _of(key: FeedKey | None) -> tuple[ColumnElement[bool], ...]:
    return () if key is None else (FEEDS.c.target == key.target, FEEDS.c.feed == key.feed)


def _empty(types: Types) -> pl.DataFrame:
    return pl.DataFrame(schema=types).rename({"sourced_id": "sourcedId"})
