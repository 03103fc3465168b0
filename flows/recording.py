"""What a run leaves in the ledger and the archive: that it began, how it ended, its plan and the roster that it accepted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from connectors.archive import Archive, ArchiveError
from connectors.ledger import Ledger
from connectors.ledger.history import Run
from connectors.oneroster.target import TargetError
from flows.errors import SettingsError
from flows.feeds.staleness import stale
from flows.job import Job
from flows.notices.usual import unusual_in
from flows.plans import propose
from flows.rest_source import RestSource, knowing, since_last
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
    Result,
)
from flows.retention import apply_retention
from flows.run_history import in_arrears
from transforms.findings import gather, of_file
from transforms.guard.stops import WHOLE_RUN


def with_history(job: Job, ledger: Ledger, archive: Archive) -> Job:
    """Add what earlier runs settle: the newest archived roster, whether the raised limits were used, what an API is asked for."""
    runs = ledger.runs(job.key)
    # The archive's own last one: a run that was killed has accepted its roster, though it never said so.
    before, late = next(reversed(archive.runs()), ""), in_arrears(runs)
    unsent = _people_of(before, archive) if late else frozenset()
    rest = _asked(job.source.rest, job, ledger, runs) if job.source.rest else None
    used = job.guard.raised_name and any(run.raised == job.guard.raised_name for run in runs)
    return replace(
        job,
        source=replace(job.source, before=before, unsent=unsent, rest=rest),
        guard=replace(job.guard, raised=None) if used else job.guard,
        load=replace(job.load, in_arrears=late),
    )


def _asked(source: RestSource, job: Job, ledger: Ledger, runs: list[Run]) -> RestSource:
    """Say what an API is asked for: since when, and for whom by name where no page has them."""
    asked = since_last(source, runs, datetime.now(UTC))
    return knowing(asked, ledger.known(job.key), job.as_written.prefix)


def _people_of(run: str, archive: Archive) -> frozenset[str]:
    """The ids of people in a roster that are made of something: what was not sent yet must not get another id."""
    users = archive.frame(run, "users") if run else None
    return frozenset() if users is None else frozenset(users["sourcedId"].filter(users["sourcedId"].str.contains("/")))


def with_newest_files(job: Job, archive: Archive) -> Job:
    """Add which files the feed's newest roster came from."""
    fed_before = archive.fed(job.source.before) if job.source.before else {}
    return replace(job, source=replace(job.source, fed_before=fed_before))


def begin(job: Job, ledger: Ledger) -> Run:
    """Note in the ledger that a sync begins; give the run as it begins."""
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
    if job.run.approve and (plan := ledger.plan(job.run.approve)) and (source := ledger.run(plan.run)):
        run = replace(run, drop=source.drop, drop_date=source.drop_date)
    if job.run.command == "sync":
        ledger.begin(run)
    return run


@contextmanager
def noting_failure(run: Run, job: Job, ledger: Ledger) -> Iterator[None]:
    """Note in the ledger if the body ends without a result: a plan that cannot be approved, a target or a disk that fails."""
    try:
        yield
    except (SettingsError, TargetError, ArchiveError, OSError) as error:
        if job.run.command == "sync":
            code = USAGE if isinstance(error, SettingsError) else FAILED
            ended = datetime.now(UTC)
            ledger.finish(replace(run, ended=ended, status="failed", exit_code=code, note=type(error).__name__))
        raise


def finish(result: Result, run: Run, job: Job, ledger: Ledger, archive: Archive) -> Result:
    """Keep what a run holds as a plan, note in the ledger how it ended, and delete what is older than the feed keeps."""
    result = propose(result, job, ledger, archive)
    ended = replace(run, content=result.content, roster=job.run.id if result.content else "", ended=datetime.now(UTC))
    if not job.run.approve:
        runs = ledger.runs(job.key)
        result = _with_twin(result, runs)
        result = replace(result, stale=stale(ended, runs, datetime.now(UTC)), unusual=unusual_in(result, runs))
    if job.run.command == "sync":
        ledger.finish(_ended(ended, result, job))
        apply_retention(job.run.keep, job.folder, job.key, ledger, archive, datetime.now(UTC))
    return result


def _with_twin(result: Result, runs: list[Run]) -> Result:
    """Tell if the roster was accepted before, to the last cell: it is the same drop, or one of a source in which nothing changed."""
    twins = (run for run in runs if run.content == result.content and run.id != result.run)
    twin = next(twins, None) if result.content else None
    if twin is None:
        return result
    told = of_file("drop_again", "", f"run {twin.id} of {twin.started:%Y-%m-%d %H:%M} UTC")
    return replace(result, findings=gather([result.findings, told]))


def _ended(run: Run, result: Result, job: Job) -> Run:
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


def _note(result: Result) -> str:
    """What later runs must know of this one beside its counts."""
    if any(hold.rule in WHOLE_RUN for hold in result.holds):
        return STOPPED
    if result.adds_only:
        return ADDS_ONLY
    if result.restored or result.repaired:
        return RESTORED if result.restored else REPAIRED
    return CHANGES_ONLY if result.counts.keys() - result.whole else ""
