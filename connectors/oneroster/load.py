"""Steps 7 and 8 of the pipeline: send the changes of a run in batches, and record what arrived.

Parents are sent first. Deletes are sent last, children first (API reference, section 9).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Collection as Container
from contextlib import asynccontextmanager
from dataclasses import dataclass

import polars as pl

from connectors.ledger import FeedKey, Ledger
from connectors.oneroster.client import Client
from connectors.oneroster.earlier_rosters import EarlierBodies, Rosters, earlier_bodies
from connectors.oneroster.load_state import (
    STOPPED,
    Agents,
    FilledColumns,
    LoadState,
    Progress,
    Sender,
    agents_of,
    filled_columns,
    mark_unfinished,
)
from connectors.oneroster.operations import AGENTS, Action, Operation
from connectors.oneroster.outcomes import LoadResult, RecordProblem, RecordResult
from connectors.oneroster.senders import InProcessSender
from connectors.oneroster.target import RunStopped
from transforms.changes import (
    ACTION,
    ENDED_PARTS,
    ENDS,
    FIELDS,
    FINGERPRINT,
    LABEL,
    PARENTS,
    REMOVALS,
    SCHOOL,
)
from transforms.checks.parts import ROLES
from transforms.checks.references import depths, parent_column
from transforms.ownership import (
    ITEMS,
    NOTHING,
    TURN,
    YIELDS,
    FeedOrder,
    SharedRecords,
    items_as_json,
    no_claims,
    own_share,
    shares_of,
    with_items,
)
from transforms.payload import Json, json_records, parts_as_json
from transforms.schemas import ENTITIES, Entity
from transforms.stages import HoldStage, RemovalStage, Stage, UpsertStage, due

BATCH_SIZE = 1000
# How often a load asks whether its feed is still its own, apart from each batch.
ASK_SECONDS = 5.0
WHY_STOPPED = "it was stopped, and the requests under way were finished. Run again to go on."
TEXT_COLUMNS = ("sourcedId", SCHOOL, PARENTS, LABEL, FIELDS, ENDS)
NONE_ACKNOWLEDGED = pl.DataFrame(
    schema={FINGERPRINT: pl.Int64} | dict.fromkeys(TEXT_COLUMNS, pl.String)
)
Removal = tuple[str, Action, str]
LEDGER_COLUMNS = ("sourcedId", FINGERPRINT, SCHOOL, PARENTS, LABEL, FIELDS, ENDS)
SHARING_COLUMNS = (TURN, ITEMS, YIELDS)
Results = dict[int, RecordResult]
__all__ = ["BATCH_SIZE", "LoadResult", "RecordProblem", "Progress", "load"]


def _silent(entity: str, done: int, total: int) -> None:
    """Report no progress."""


async def load(
    stages: Sequence[Stage],
    target: Client,
    ledger: Ledger,
    key: FeedKey,
    run: str,
    *,
    batch_size: int = BATCH_SIZE,
    progress: Progress = _silent,
    stop: asyncio.Event | None = None,
    sender: Sender | None = None,
    rosters: Rosters = lambda *_: (),
    order: FeedOrder | None = None,
) -> LoadResult:
    """Send the stages in batches of `batch_size` records, and return what became of each record.

    What a stage changes in the ledger alone is left to the caller.

    `progress` is called with an entity, the number of its records that are done, and their total.
    `sender` sends instead of `target`, if there is one. `rosters` returns what killed runs may have
    sent: a record in the target that equals it is ours. `order` is that of the feeds which share
    records.

    Once `stop` is set, the requests under way are finished and the rest waits. Then, and if the
    target cannot be used, the load ends early, and `Loaded.error` says why.
    """
    job = LoadState(
        target,
        sender or InProcessSender(target),
        ledger,
        key,
        run,
        batch_size,
        progress,
        stop or asyncio.Event(),
        ledger.intended(key),
        order=order or FeedOrder(key.feed, alone=not ledger.other_feeds(key)),
    )
    requests, retries = job.sender.requests, job.sender.retries
    for stage in stages:
        job.due[stage.entity] += due(stage)
    upserts = {stage.entity: stage for stage in stages if isinstance(stage, UpsertStage)}
    job.earlier = {
        name: earlier_bodies(stage, job.intended[name], rosters)
        for name, stage in upserts.items()
        if name in job.intended
    }
    job.blocked |= _records_of_open_plans(upserts, job)
    async with _stopping(job), _asking(job):
        for stage in stages:
            match stage:
                case HoldStage():
                    job.blocked |= _new_records(stage)
                case UpsertStage() if stage.entity in target.profile.collections:
                    await send_upserts(job, stage)
                case RemovalStage() if stage.entity in target.profile.collections:
                    await send_removals(job, stage)
    # A stop that came when nothing was left to send is no error.
    stopped = any(trouble.detail == STOPPED for trouble in job.tally.troubles)
    return LoadResult(
        counts=job.tally.counts(),
        troubles=tuple(job.tally.troubles),
        notices=job.tally.notices(),
        requests=job.sender.requests - requests,
        retries=job.sender.retries - retries,
        error=WHY_STOPPED if stopped else str(job.error) if job.error else None,
    )


def _new_records(stage: HoldStage) -> set[str]:
    """Return the held records that the target does not have: no request may refer to them."""
    new = stage.records.filter(pl.col(ACTION).is_in(["create", "revive"]))
    return {f"{stage.entity}:{one}" for one in new["sourcedId"]}


def _records_of_open_plans(upserts: Mapping[str, UpsertStage], job: LoadState) -> set[str]:
    """Return the records that plans of earlier runs hold, unless this run sends them."""
    waiting = set()
    for name, ids in job.ledger.awaited(job.key).items():
        sent = set(upserts[name].records["sourcedId"]) if name in upserts else set()
        waiting |= {f"{name}:{one}" for one in ids if one not in sent}
    return waiting


@asynccontextmanager
async def _stopping(job: LoadState) -> AsyncIterator[None]:
    """End the waits for a turn or a retry once the load is stopped."""

    async def end() -> None:
        if await job.stop.wait():
            job.target.end(RunStopped(WHY_STOPPED))

    ending = asyncio.create_task(end())
    try:
        yield
    finally:
        ending.cancel()


@asynccontextmanager
async def _asking(job: LoadState) -> AsyncIterator[None]:
    """Stop the load in the middle of a batch if another run has the feed.

    This can happen only if the ledger is on a server and the connection to it was lost. The ledger
    then refuses to record anything, and says why.
    """

    async def ask() -> None:
        await asyncio.sleep(ASK_SECONDS)
        while await asyncio.to_thread(job.ledger.is_ours_alone):
            await asyncio.sleep(ASK_SECONDS)
        job.stop.set()

    asking = asyncio.create_task(ask())
    try:
        yield
    finally:
        asking.cancel()


async def send_upserts(job: LoadState, stage: UpsertStage) -> None:
    """Send the upserts of one entity, parents first.

    Users whose agents arrive later get a second pass, which adds the agents.
    """
    entity = ENTITIES[stage.entity]
    agents = agents_of(job, stage.records) if stage.entity == "users" else Agents()
    for name, batch in name_batches(
        f"load {stage.entity}", batches(entity, stage.records, job.batch_size)
    ):
        await _first_pass(job, stage, name, batch, agents)
        job.report_progress(stage.entity)
    later = stage.records.filter(pl.col("sourcedId").is_in(list(agents.later)))
    for name, batch in name_batches("load agents of users", slices(later, job.batch_size)):
        await _second_pass(job, stage, name, batch, agents)
        job.report_progress(stage.entity)


async def _first_pass(
    job: LoadState, stage: UpsertStage, name: str, batch: pl.DataFrame, agents: Agents
) -> None:
    entity = ENTITIES[stage.entity]
    whole = _with_parents_in_target(job, stage.entity, batch)
    ready, known, alone = _own_part(job, stage, whole)
    earlier_bodies = job.earlier.get(stage.entity, EarlierBodies()).said
    partial: set[str] = set()

    def errand(row: RowToSend) -> Operation:
        record, share = row.body, known.shares.get(row.sourced_id)
        if agents.missing(record):
            partial.add(row.sourced_id)
            record = _without_agents(record)
        if share:
            # Lists of which all items belong to other feeds: ours may have ended.
            record = {name: [] for name in items_as_json(entity, share.items)} | record
        return Operation(
            stage.entity,
            "join" if share and row.action == "create" else row.action,
            record,
            whole=row.body,
            alone=_without_agents(alone[row.sourced_id]) if share else None,
            earlier=earlier_bodies.get(row.sourced_id, ()),
            gone=known.gone(row.sourced_id, row.fields),
            partial=known.partial,
            ended=row.ended,
            others=items_as_json(entity, share.others) if share else None,
        )

    results = await send_rows(job, name, stage.entity, ready, errand, known, partial)
    actions = ready[ACTION]
    for place, sourced_id in enumerate(ready["sourcedId"]):
        result = results.get(place) or RecordResult("waiting", job.halted)
        if result.moved:
            job.tally.moved.append(sourced_id)
        if result.arrived:
            agents.arrived(sourced_id)
        elif actions[place] != "update" and not job.halted:
            job.blocked.add(f"{stage.entity}:{sourced_id}")
        if result.arrived and sourced_id in partial:
            agents.later[sourced_id] = result.term
        else:
            job.tally.add(stage.entity, sourced_id, result.term, result.detail)


def _without_agents(record: Json) -> Json:
    return {name: value for name, value in record.items() if name != AGENTS}


def _own_part(
    job: LoadState, stage: UpsertStage, frame: pl.DataFrame
) -> tuple[pl.DataFrame, FilledColumns, Mapping[str, Json]]:
    """Reduce records that other feeds have sent too to what belongs to this feed.

    Also returns which columns were filled when they were last sent, and the complete bodies of the
    reduced records.
    """
    if job.order.alone:
        return frame, filled_columns(job, stage, frame, {}), {}
    entity = ENTITIES[stage.entity]
    rows = job.ledger.shares(job.key, stage.entity, frame["sourcedId"])
    shares = shares_of(frame, SharedRecords.of(stage.entity, rows, job.order))
    named = job.order.named(job.order.feed)
    turns = [shares[one].turn if one in shares else named for one in frame["sourcedId"]]
    yields = [shares[one].yields if one in shares else None for one in frame["sourcedId"]]
    marked = with_items(frame).with_columns(
        pl.Series(TURN, turns, dtype=pl.Int64), pl.Series(YIELDS, yields, dtype=pl.String)
    )
    known = filled_columns(job, stage, frame, shares)
    shared = frame.filter(pl.col("sourcedId").is_in(list(shares)))
    alone = {body["sourcedId"]: body for body in json_records(entity, shared)}
    return own_share(marked, shares), known, alone


async def _second_pass(
    job: LoadState, stage: UpsertStage, name: str, batch: pl.DataFrame, agents: Agents
) -> None:
    """Add the agents to users who were sent without them.

    The ledger then has these users as they are in the drop.
    """
    batch, known, _ = _own_part(job, stage, batch)
    missing = [agents.missing(body) for body in json_records(ENTITIES[stage.entity], batch)]
    ready = batch.filter(pl.Series([not absent for absent in missing], dtype=pl.Boolean))
    for sourced_id, absent in zip(batch["sourcedId"], missing, strict=True):
        if absent:
            job.tally.add(
                stage.entity,
                sourced_id,
                "waiting",
                f"its agent users:{absent[0]} is not in the target",
            )

    def errand(row: RowToSend) -> Operation:
        return Operation(stage.entity, "agents", row.body)

    results = await send_rows(job, name, stage.entity, ready, errand, known)
    for place, sourced_id in enumerate(ready["sourcedId"]):
        result = results.get(place) or RecordResult("waiting", job.halted)
        first = agents.later[sourced_id]
        term = first if result.arrived and first != "unchanged" else result.term
        job.tally.add(stage.entity, sourced_id, term, result.detail)


def _with_parents_in_target(job: LoadState, entity: str, batch: pl.DataFrame) -> pl.DataFrame:
    """Return the records whose parents are in the target; count the others as waiting."""
    if job.halted or not job.blocked:
        return batch
    causes = [job.waits_for(parents) for parents in batch[PARENTS]]
    for sourced_id, action, cause in zip(batch["sourcedId"], batch[ACTION], causes, strict=True):
        if cause:
            job.tally.add(entity, sourced_id, "waiting", f"{cause} is not in the target")
            if action != "update":
                job.blocked.add(f"{entity}:{sourced_id}")
    return batch.filter(pl.Series([not cause for cause in causes], dtype=pl.Boolean))


@dataclass(frozen=True, slots=True)
class RowToSend:
    """One record to send."""

    sourced_id: str
    action: Action
    # The columns that it fills, as the ledger names them.
    fields: str
    body: Json
    # Items of its lists that have ended, by property.
    ended: Json | None = None


async def send_rows(
    job: LoadState,
    batch: str,
    entity: str,
    frame: pl.DataFrame,
    errand: Callable[[RowToSend], Operation],
    known: FilledColumns,
    partial: Container[str] = (),
) -> Results:
    """Record the intent, send each row, and record in the ledger what arrived.

    Returns the results by place in the frame; a row that was not sent has none. The ids in
    `partial`, which grows while rows are sent, are recorded as unfinished.
    """
    if job.halted or frame.is_empty():
        return {}
    job.ledger.intend(job.key, entity, frame.select("sourcedId", FINGERPRINT), job.run)
    results = await job.perform(batch, map(errand, _rows(ENTITIES[entity], frame)))
    arrived = [place for place, result in sorted(results.items()) if result.arrived]
    # A class that the target did not move is reported every night, until a person fixes it.
    moved = [frame["sourcedId"][place] for place in arrived if results[place].moved]
    fingerprint = pl.when(pl.col("sourcedId").is_in([*partial, *moved])).then(
        mark_unfinished(pl.col(FINGERPRINT))
    )
    columns = [name for name in (*LEDGER_COLUMNS, *SHARING_COLUMNS) if name in frame.columns]
    acknowledged = known.to_record(frame[arrived].select(columns)).with_columns(
        fingerprint.otherwise(FINGERPRINT)
    )
    if YIELDS in columns:
        # The target had lost these records, so that other feeds' columns were sent too.
        whole = [frame["sourcedId"][place] for place in arrived if results[place].whole]
        nothing = pl.when(pl.col("sourcedId").is_in(whole)).then(pl.lit(NOTHING))
        acknowledged = acknowledged.with_columns(nothing.otherwise(YIELDS).alias(YIELDS))
    arrived_places = set(arrived)
    settled = [
        one
        for place, one in enumerate(frame["sourcedId"])
        if is_settled(job, entity, one, results.get(place), arrived=place in arrived_places)
    ]
    job.ledger.record(job.key, entity, acknowledged, {}, settled, job.run)
    return results


def _rows(entity: Entity, frame: pl.DataFrame) -> Iterator[RowToSend]:
    ended = pl.col(ENDED_PARTS) if ENDED_PARTS in frame.columns else pl.lit(None, pl.String)
    cells = frame.select("sourcedId", ACTION, FIELDS, ended).iter_rows()
    for (sourced_id, action, fields, text), body in zip(
        cells, json_records(entity, frame), strict=True
    ):
        yield RowToSend(
            sourced_id, action, fields, body, parts_as_json(entity, ROLES, text) if text else None
        )


def is_settled(
    job: LoadState, entity: str, sourced_id: str, result: RecordResult | None, *, arrived: bool
) -> bool:
    """Return whether the intent of a record can be removed.

    It can if the record arrived, or if it certainly did not arrive, neither now nor from a killed
    run.
    """
    return arrived or (
        (result is None or result.settled) and sourced_id not in job.intended.get(entity, ())
    )


async def send_removals(job: LoadState, stage: RemovalStage) -> None:
    """Send the removals of one entity; the ledger records them batch by batch."""
    parts = slices(stage.records, job.batch_size)
    for name, batch in name_batches(f"remove {stage.entity}", parts):
        if job.halted:
            job.abandon(stage.entity, batch["sourcedId"])
        else:
            await _remove_batch(job, name, stage.entity, batch.rows())
        job.report_progress(stage.entity)


async def _remove_batch(job: LoadState, name: str, entity: str, removals: list[Removal]) -> None:
    # If the run is killed now, the next one knows that the records may be deleted, although the
    # ledger still has them.
    ids = [sourced_id for sourced_id, _, _ in removals]
    job.ledger.intend(
        job.key, entity, pl.DataFrame({"sourcedId": ids, FINGERPRINT: [0] * len(ids)}), job.run
    )
    # In a tree, the next record may be the parent of the one under way.
    workers = 1 if parent_column(ENTITIES[entity]) else job.target.concurrency
    leaving = pl.Series([one for one, action, _ in removals if action == "leave"], dtype=pl.String)
    rows = job.ledger.shares(job.key, entity, leaving) if leaving.len() else no_claims()
    shared = SharedRecords.of(entity, rows, job.order)
    errands = (
        _leaving(entity, one, shared)
        if action == "leave"
        else Operation(entity, action, {"sourcedId": one}, day=day)
        for one, action, day in removals
    )
    results = await job.perform(name, errands, workers)
    removed: dict[str, list[str]] = {}
    removed_places = set()
    for place, result in sorted(results.items()):
        sourced_id, action, _ = removals[place]
        term, status = REMOVALS[action]
        if result.term == term:
            removed.setdefault(status, []).append(sourced_id)
            removed_places.add(place)
        job.tally.add(entity, sourced_id, result.term, result.detail)
    settled = [
        one
        for place, one in enumerate(ids)
        if is_settled(job, entity, one, results.get(place), arrived=place in removed_places)
    ]
    job.ledger.record(job.key, entity, NONE_ACKNOWLEDGED, removed, settled, job.run)
    job.abandon(
        entity, [sourced_id for place, sourced_id in enumerate(ids) if place not in results]
    )


def _leaving(entity: str, sourced_id: str, shared: SharedRecords) -> Operation:
    """Return the operation that removes what only this feed has of a record."""
    columns, items = shared.only_own(sourced_id)
    others = shared.share(sourced_id, (), "").others
    return Operation(
        entity,
        "leave",
        {"sourcedId": sourced_id},
        gone=columns,
        ended=items_as_json(ENTITIES[entity], items),
        others=items_as_json(ENTITIES[entity], others),
    )


def batches(entity: Entity, frame: pl.DataFrame, size: int) -> Iterator[pl.DataFrame]:
    """Slice a frame level by level.

    The first level holds the records that refer to no other record of the frame.
    """
    for level in levels(entity, frame):
        yield from slices(level, size)


def slices(frame: pl.DataFrame, size: int) -> Iterator[pl.DataFrame]:
    """Slice a frame; an empty frame has no slices."""
    return (frame.slice(start, size) for start in range(0, frame.height, size))


def name_batches(what: str, batches: Iterable[pl.DataFrame]) -> Iterator[tuple[str, pl.DataFrame]]:
    """Give each batch a name with its number and their count, such as `load users 3/12`."""
    frames = list(batches)
    return ((f"{what} {number}/{len(frames)}", frame) for number, frame in enumerate(frames, 1))


def levels(entity: Entity, frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Split a frame so that each level refers only to earlier levels, or to records outside it.

    Lists of references (agents) may be circular. There, the records without any come first.
    """
    if tree := parent_column(entity):
        yield from _tree_levels(frame, tree.name)
    elif (listed := _self_reference(entity)) in frame.columns:
        yield frame.filter(pl.col(listed).is_null())
        yield frame.filter(pl.col(listed).is_not_null())
    else:
        yield frame


def _tree_levels(frame: pl.DataFrame, parent: str) -> Iterator[pl.DataFrame]:
    if parent not in frame.columns:
        yield frame
        return
    parents = dict(frame.select("sourcedId", parent).drop_nulls().iter_rows())
    depth = pl.Series("#depth", depths(frame["sourcedId"].to_list(), parents), dtype=pl.Int64)
    for level in depth.unique().sort():
        yield frame.filter(depth == level)


def _self_reference(entity: Entity) -> str:
    """Return the column that lists other records of the same entity; blank if there is none."""
    return next(
        (
            column.name
            for column in entity.references
            if column.refers == entity.name and column.is_list
        ),
        "",
    )
