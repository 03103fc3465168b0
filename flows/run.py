"""Runs a job under the lock of its feed, and records in the ledger how it begins and ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from functools import partial
from itertools import takewhile

import polars as pl

from connectors.ledger import Ledger, Run
from connectors.oneroster.target import TargetError
from connectors.roster_archive import Archive, ArchiveError
from flows.approve import approve
from flows.errors import SettingsError
from flows.job import Job
from flows.notify.causes import unusual_sentences
from flows.notify.send import notify, notifying_of_failure
from flows.options import Options
from flows.pipeline import Pipeline, run_pipeline
from flows.plans import store_plan
from flows.rest_source import limit_to_changes, with_known_ids
from flows.restore_roster import restore_roster
from flows.result import (
    ADDS_ONLY,
    CHANGES_ONLY,
    COUNTED,
    FAILED,
    REPAIRED,
    RESTORED,
    STOPPED,
    UNDELIVERED,
    USAGE,
    RunResult,
)
from flows.retention import apply_retention
from flows.run_history import has_unsent_records, records_not_to_send
from flows.watch import Watch
from transforms.findings import file_finding, merge_findings
from transforms.grammar import agree
from transforms.guard.holds import WHOLE_RUN_RULES
from transforms.schemas import ENTITIES


def pipeline_of(options: Options) -> Pipeline | None:
    """Return what `restore` runs instead of the nine steps; None for any other command."""
    return partial(restore_roster, run=options.restore) if options.restore is not None else None


def run_job(job: Job, watch: Watch, pipeline: Pipeline | None = None) -> RunResult:
    """Run a job, and record its result in the ledger.

    A command that sends holds the lock of the feed meanwhile. `pipeline` is what to run if that is
    neither the nine steps of a drop nor the approval of a plan. Raises `SettingsError` if the feed
    is to be sent from a cluster, and `watch` cannot.
    """
    _refuse_cluster(job, watch)
    is_full_run = pipeline is None and not job.run.approve
    pipeline = pipeline or (approve if job.run.approve else run_pipeline)
    with Ledger(job.ledger_at, patience=job.load.patience_seconds) as ledger:
        archive = Archive(job.home / "rosters", job.key, ledger.forgotten())
        lock = ledger.hold(job.key, job.run.id) if job.run.command == "sync" else nullcontext()
        with lock, watch:
            if job.run.command == "sync":
                watch.say(f"Target: {job.load.target.name}")
            job = with_history(job, ledger, archive)
            with notifying_of_failure(job, ledger, watch):
                run = begin_run(job, ledger)
                with recording_failure(run, job, ledger):
                    result = pipeline(with_newest_files(job, archive), ledger, archive, watch)
                result = finish_run(result, run, job, ledger, archive)
            return notify(result, job, ledger, whole=is_full_run)


CLUSTER = (
    "The feed file says `runner = {runner!r}` under `[run]`, and only flows in Prefect send from a "
    "cluster. Run the flow (prefect deployment run nightly/NAME), or send from this machine: say "
    "--workers 1, or remove `runner`."
)


def _refuse_cluster(job: Job, watch: Watch) -> None:
    sends = job.run.command == "sync" and not job.rehearsal
    if sends and job.load.runner and not watch.sends_from_clusters:
        raise SettingsError(CLUSTER.format(runner=job.load.runner))


def with_history(job: Job, ledger: Ledger, archive: Archive) -> Job:
    """Add what earlier runs determine.

    This is the newest archived roster, its unsent ids, whether the raised limits were used, and
    what to ask an API for.
    """
    runs = ledger.runs(job.key)
    # Taken from the archive: a run that was killed has archived its roster, though the ledger does
    # not have it.
    before, has_unsent = next(reversed(archive.runs()), ""), has_unsent_records(runs)
    unsent, arrears = frozenset[str](), dict[str, frozenset[str]]()
    if before and has_unsent:
        unsent = _derived_people_ids(before, archive)
        arrears = _arrears(before, archive, records_not_to_send(job, ledger))
    rest = job.source.rest
    if rest:
        rest = limit_to_changes(rest, runs, datetime.now(UTC))
        written = job.as_written
        rest = with_known_ids(
            rest, ledger.known(job.key), written.prefix, escaped=written.escape_ids
        )
    used = job.guard.raised_name and any(run.raised == job.guard.raised_name for run in runs)
    return replace(
        job,
        source=replace(job.source, before=before, unsent=unsent, arrears=arrears, rest=rest),
        guard=replace(job.guard, raised=None) if used else job.guard,
        load=replace(job.load, in_arrears=has_unsent),
    )


def _derived_people_ids(run: str, archive: Archive) -> frozenset[str]:
    """Return the ids of people in a roster that were made from personal data.

    While they are unsent, these people must not get other ids.
    """
    users = archive.frame(run, "users")
    if users is None:
        return frozenset()
    return frozenset(users["sourcedId"].filter(users["sourcedId"].str.contains("/")))


def _arrears(run: str, archive: Archive, left_out: pl.DataFrame) -> dict[str, frozenset[str]]:
    """Return the ids in a roster to which a drop may refer, by entity.

    What a drop has no file of is still sent out of the roster, except what a person has `left_out`.
    """
    refers = {column.refers for entity in ENTITIES.values() for column in entity.references}
    frames = {name: archive.frame(run, name) for name in sorted(filter(None, refers))}
    return {
        name: frozenset(frame["sourcedId"]) - frozenset(left_out.filter(entity=name)["sourcedId"])
        for name, frame in frames.items()
        if frame is not None
    }


def with_newest_files(job: Job, archive: Archive) -> Job:
    """Add the names of the files that the feed's newest roster came from."""
    fed_before = archive.fed(job.source.before) if job.source.before else {}
    return replace(job, source=replace(job.source, fed_before=fed_before))


def begin_run(job: Job, ledger: Ledger) -> Run:
    """Record in the ledger that a sync begins, and return its run."""
    run = Run(
        job.run.id,
        job.key,
        job.run.command,
        datetime.now(UTC),
        drop=job.source.name,
        drop_date=job.source.dated,
        max_age_hours=job.source.max_age_hours,
        approved=job.run.approve or "",
    )
    if (
        job.run.approve
        and (plan := ledger.plan(job.run.approve))
        and (source := ledger.run(plan.run))
    ):
        run = replace(run, drop=source.drop, drop_date=source.drop_date)
    if job.run.command == "sync":
        ledger.begin(run)
    return run


@contextmanager
def recording_failure(run: Run, job: Job, ledger: Ledger) -> Iterator[None]:
    """Record in the ledger that a run failed if the body raises.

    A plan may not be approvable, or a target or a disk may fail.
    """
    try:
        yield
    except (SettingsError, TargetError, ArchiveError, OSError) as error:
        if job.run.command == "sync":
            code = USAGE if isinstance(error, SettingsError) else FAILED
            ended = datetime.now(UTC)
            ledger.finish(
                replace(
                    run, ended=ended, status="failed", exit_code=code, note=type(error).__name__
                )
            )
        raise


def finish_run(
    result: RunResult, run: Run, job: Job, ledger: Ledger, archive: Archive
) -> RunResult:
    """Store what is held as a plan, record how the run ended, and delete what is past retention."""
    result = store_plan(result, job, ledger, archive)
    ended = replace(
        run,
        content=result.content,
        roster=job.run.id if result.content else "",
        ended=datetime.now(UTC),
    )
    if not job.run.approve:
        runs = ledger.runs(job.key)
        result = _with_twin(result, runs)
        result = replace(
            result,
            stale=stale(ended, runs, datetime.now(UTC)),
            unusual=unusual_sentences(result, runs),
        )
    if job.run.command == "sync":
        ledger.finish(_ended_run(ended, result, job))
        apply_retention(job.run.keep, job.folder, job.key, ledger, archive, datetime.now(UTC))
    return result


def _with_twin(result: RunResult, runs: list[Run]) -> RunResult:
    """Report it if an earlier run accepted exactly the same roster.

    It is the same drop, or one from a source in which nothing changed.
    """
    twins = (run for run in runs if run.content == result.content and run.id != result.run)
    twin = next(twins, None) if result.content else None
    if twin is None:
        return result
    notice = file_finding("drop_again", "", f"run {twin.id} of {twin.started:%Y-%m-%d %H:%M} UTC")
    return replace(result, findings=merge_findings([result.findings, notice]))


def _ended_run(run: Run, result: RunResult, job: Job) -> Run:
    undelivered = {hold.entity: hold.count for hold in result.holds if hold.rule == UNDELIVERED}
    counts = {
        name: {**terms, COUNTED: result.let_go.get(name, 0), UNDELIVERED: undelivered.get(name, 0)}
        for name, terms in result.counts.items()
    }
    return replace(
        run,
        status=result.status,
        exit_code=result.exit_code,
        counts=counts,
        plan=result.plan,
        raised=job.guard.raised_name if result.raised and not result.error else "",
        note=_note(result),
        requests=result.requests,
    )


def _note(result: RunResult) -> str:
    """Return what later runs must know of this one besides its counts."""
    if any(hold.rule in WHOLE_RUN_RULES for hold in result.holds):
        return STOPPED
    if result.adds_only:
        return ADDS_ONLY
    if result.restored or result.repaired:
        return RESTORED if result.restored else REPAIRED
    return CHANGES_ONLY if result.counts.keys() - result.whole else ""


def stale(
    run: Run, runs: Sequence[Run], now: datetime, unchanged_since: datetime | None = None
) -> str:
    """Return a sentence if a run's drop is older than its feed allows; blank if not.

    It is blank also if the feed sets no maximum age. `runs` are those of the feed, newest first. A
    drop is as old as its date. A drop without a date is as old as the first of the latest runs with
    the same content: `unchanged_since`, if that is known.
    """
    if run.max_age_hours is None or not run.content:
        return ""
    since = unchanged_since or _content_since(run, runs)
    if now - since <= timedelta(hours=run.max_age_hours):
        return ""
    how = f"of {run.drop_date}" if run.drop_date else f"the same since {since:%Y-%m-%d %H:%M} UTC"
    return (
        f"the drop {run.drop} is {how}, and may be {run.max_age_hours:g} "
        f"{agree(run.max_age_hours, 'hours')} old. "
        "Find out why no newer one comes."
    )


def _content_since(run: Run, runs: Sequence[Run]) -> datetime:
    if run.drop_date:
        return datetime.combine(run.drop_date, time.max, UTC)
    earlier = [
        one for one in runs if one.content and one.id != run.id and one.started <= run.started
    ]
    same_content = takewhile(lambda one: one.content == run.content, earlier)
    return min((one.started for one in (run, *same_content)), default=run.started)
