"""What is known of a record: here, from roster, runs, ledger and plans, and in the target."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import takewhile
from pathlib import Path

import polars as pl

from connectors.ledger import FeedKey, Ledger, Plan, Run
from connectors.oneroster import wire
from connectors.oneroster.client import Client
from connectors.oneroster.merge import differing_properties
from connectors.oneroster.profile import Collection
from connectors.oneroster.retry import RetryPolicy
from connectors.oneroster.target import Endpoint, TargetError
from connectors.roster_archive import Archive
from flows.errors import SettingsError
from flows.feeds.targets import choose_target
from flows.plans import ACTION_WORDS
from flows.safe_text import public_text, spreadsheet_cell
from flows.send import DATABASE, open_target
from flows.target import Target
from flows.why.story import Finding, InLedger, InRoster, InTarget, LastRun, Story, Waiting
from transforms.changes import DISABLED
from transforms.findings import ROW
from transforms.fingerprint import fingerprints
from transforms.forget import PEOPLE, id_digest
from transforms.ownership import SHARED_PARTS, Share, own_share
from transforms.payload import Json, json_records
from transforms.records import EntityRecords
from transforms.schemas import ENTITIES, LIFECYCLE
from transforms.schemas.vocabularies import TOBEDELETED
from transforms.secrets import without_secrets

# Entities whose ids are those of people.
ENTITIES_OF_PEOPLE = (PEOPLE, "demographics")
TROUBLES = ("failed", "waiting", "held")


def local_stories(
    key: FeedKey, sourced_id: str, entities: Sequence[str], state: Path, ledger: Ledger
) -> Iterator[Story]:
    """Yield what this machine knows of an id in one feed: a story for each entity, known or not."""
    archive = Archive(state / "rosters", key)
    runs = [run for run in ledger.runs(key) if run.ended]
    plans = [*ledger.plans(key, status="open"), *ledger.plans(key, status="approved")]
    planned = [(plan, ledger.planned(plan.id).filter(sourcedId=sourced_id)) for plan in plans]
    for entity in entities:
        known = _ledger_part(ledger, key, entity, sourced_id)
        yield Story(
            key,
            entity,
            sourced_id,
            _roster_part(archive, entity, sourced_id, _yields(ledger, key, entity, sourced_id)),
            _last_run(runs, entity, sourced_id, state, known.run if known else ""),
            known,
            waiting=_waiting(planned, entity),
            forgotten=entity in ENTITIES_OF_PEOPLE and id_digest(sourced_id) in ledger.forgotten(),
        )


def _yields(ledger: Ledger, key: FeedKey, entity: str, sourced_id: str) -> str | None:
    """Return what a feed leaves of a record to other feeds; None if it has it alone."""
    rows = ledger.shares(key, entity, pl.Series([sourced_id])).filter(feed=key.feed)
    return next(iter(rows["yields"]), None)


def _roster_part(
    archive: Archive, entity: str, sourced_id: str, yields: str | None
) -> InRoster | None:
    run = next(reversed(archive.runs()), None)
    if run is None:
        return None
    judged = archive.judged(run, entity)
    return InRoster(run) if judged is None else _in_records(run, judged, sourced_id, yields)


def _in_records(run: str, judged: EntityRecords, sourced_id: str, yields: str | None) -> InRoster:
    """Return what a roster has of a record: of a shared one, what belongs to this feed."""
    row = judged.accepted.filter(sourcedId=sourced_id).drop(ROW, *LIFECYCLE)
    if row.height:
        mark = int(fingerprints(judged.entity, row)[0])
        partial = judged.partial
        if yields is not None:
            row = own_share(row, {sourced_id: Share(yields=yields)})
            partial |= frozenset(SHARED_PARTS)
        body = without_secrets(next(json_records(judged.entity, row)))
        return InRoster(run, "accepted", body, mark, partial)
    if sourced_id in judged.refused["sourcedId"]:
        return InRoster(run, "refused")
    return InRoster(run, "withheld" if sourced_id in judged.withheld["sourcedId"] else "absent")


def _last_run(
    runs: Sequence[Run], entity: str, sourced_id: str, state: Path, settled: str
) -> LastRun:
    """Return what the last run of a drop found, and why the record was not sent.

    Later approvals count too, but only those after the run that `settled` the record.
    """
    later = list(takewhile(lambda run: not _has_checked_drop(run), runs))
    checking = runs[len(later)] if len(later) < len(runs) else None
    found = (
        _findings(state / "runs" / checking.id / "rejects.csv", entity, sourced_id)
        if checking
        else ()
    )
    since = takewhile(lambda run: run.id != settled, [*later, *filter(None, [checking])])
    reports = (state / "runs" / run.id / "report.md" for run in since)
    trouble = next(
        filter(None, (_trouble_in_report(report, entity, sourced_id) for report in reports)), ""
    )
    return LastRun(checking.id if checking else "", tuple(found), trouble)


def _has_checked_drop(run: Run) -> bool:
    return bool(run.roster) or run.status == "refused"


def _findings(path: Path, entity: str, sourced_id: str) -> Iterator[Finding]:
    if path.exists():
        rows = pl.read_csv(path, infer_schema=False).filter(
            entity=entity, sourcedId=spreadsheet_cell(sourced_id)
        )
        for row in rows.fill_null("").iter_rows(named=True):
            yield Finding(*(row[name] for name in ("file", "row", "column", "rule", "value")))


def _trouble_in_report(report: Path, entity: str, sourced_id: str) -> str:
    """Return why a record was not sent, from a report: `failed: ...`.

    Blank if the report does not say so, or if a plan holds the record.
    """
    if not report.exists():
        return ""
    starts = {f"- {word} {entity} {public_text(sourced_id)}: ": word for word in TROUBLES}
    for line in report.read_text("utf-8").splitlines():
        for start, word in starts.items():
            if line.startswith(start) and (detail := line.removeprefix(start)) not in ACTION_WORDS:
                return f"{word}: {detail}"
    return ""


def _ledger_part(ledger: Ledger, key: FeedKey, entity: str, sourced_id: str) -> InLedger | None:
    rows = ledger.details(key, entity, pl.Series("sourcedId", [sourced_id]))
    for row in rows.iter_rows(named=True):
        return InLedger(row["status"], row["run"] or "", row["fingerprint"], row["ends"] or "")
    return None


def _waiting(planned: Sequence[tuple[Plan, pl.DataFrame]], entity: str) -> Waiting | None:
    for plan, rows in planned:
        for action, rule in rows.filter(entity=entity).select("action", "hold").iter_rows():
            sentences = [hold.sentence for hold in plan.holds if hold.rule == rule]
            of_entity = [
                hold.sentence for hold in plan.holds if hold.rule == rule and hold.entity == entity
            ]
            return Waiting(plan, action, next(iter([*of_entity, *sentences]), rule))
    return None


def all_known_ids(keys: Sequence[FeedKey], state: Path, ledger: Ledger) -> pl.Series:
    """Return every id that the ledger or the last roster of some feeds has, sorted."""
    found = [pl.Series("sourcedId", [], dtype=pl.String)]
    for key in keys:
        archive = Archive(state / "rosters", key)
        found += [frame["sourcedId"] for frame in ledger.known(key).values()]
        for run in archive.runs()[-1:]:
            frames = (archive.frame(run, entity) for entity in ENTITIES)
            found += [frame["sourcedId"] for frame in frames if frame is not None]
    return pl.concat(found).unique().sort()


# A person waits for this answer, so a target that is down is reported quickly.
HURRY = RetryPolicy(attempts=2, broken_attempts=1, first_attempts=1, seconds=10.0)


def add_target_state(
    stories: Sequence[Story], feed: Path | None, state: Path, environment: Mapping[str, str]
) -> list[Story]:
    """Add what the target says to the stories of one feed. `feed` is the feed file, if known."""
    if not stories:
        return []
    try:
        target = _choose_target(stories[0], feed, environment)
        if target.url is None and not (state / DATABASE).exists():
            raise SettingsError("the sandbox has never been started")
        with open_target(target, state, 1) as address:
            records = asyncio.run(_read_records(stories, address))
            collections = address.profile.collections
    except (SettingsError, TargetError) as error:
        return [replace(story, target=InTarget("unasked", reason=str(error))) for story in stories]
    return [
        replace(story, target=_target_part(story, record, collections[story.entity]))
        if story.entity in collections
        else story
        for story, record in zip(stories, records, strict=True)
    ]


def _choose_target(story: Story, feed: Path | None, environment: Mapping[str, str]) -> Target:
    if feed is None:
        return choose_target(story.key.target, None, environment)
    # The models of feed files take a while to build, and most targets do not need them.
    from flows.feeds.feed import read_feed

    return choose_target(story.key.target, read_feed(feed), environment)


async def _read_records(stories: Sequence[Story], address: Endpoint) -> list[Json | None]:
    hurried = replace(address, patience=HURRY, connect_seconds=5.0, request_seconds=10.0)
    async with Client(hurried) as client:
        return [await _read_record(story, client) for story in stories]


async def _read_record(story: Story, client: Client) -> Json | None:
    """Read a record; None if the target does not have it. Raises `TargetError`."""
    collection = client.profile.collections.get(story.entity)
    if collection is None or not wire.is_addressable(story.sourced_id):
        return None
    request = wire.read(collection, story.sourced_id)
    answer = await client.send(request)
    outcome = wire.outcome_of(request, answer)
    if outcome.kind not in ("done", "missing"):
        raise TargetError(f"{client.target.host} does not show it: {outcome.detail}")
    return wire.record_in(collection, answer)


def _target_part(story: Story, record: Json | None, collection: Collection) -> InTarget:
    if record is None:
        return InTarget("absent")
    if record.get("status") == TOBEDELETED:
        return InTarget("deleted")
    return InTarget("there", tuple(differing_properties(collection, record, *_expected(story))))


def _expected(story: Story) -> tuple[Json, frozenset[str]]:
    """Return what the target should have of a record; nothing if nobody here knows it."""
    if story.ledger and story.ledger.status == DISABLED:
        return {"enabledUser": False}, frozenset()
    return (story.roster.body, story.roster.partial) if story.roster else ({}, frozenset())
