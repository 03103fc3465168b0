"""Runs a job: under the lock of its feed, with what it leaves in the ledger, and what it tells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from functools import partial
from itertools import takewhile

from connectors.ledger import Ledger, Run
from connectors.oneroster.target import TargetError
from connectors.roster_archive import Archive, ArchiveError
from flows.approve import approve
from flows.errors import SettingsError
from flows.job import Job
from flows.notify.causes import unusual_in
from flows.notify.send import notify, notifying_of_failure
from flows.options import Options
from flows.pipeline import Pipeline, run_pipeline
from flows.plans import propose
from flows.rest_source import RestSource, knowing, since_last
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
from flows.run_history import in_arrears
from flows.watch import Watch
from transforms.findings import gather, of_file
from transforms.guard.holds import WHOLE_RUN


def pipeline_of(options: Options) -> Pipeline | None:
    """Give what `restore` runs in place of the nine steps; None for any other command."""
    return partial(restore_roster, run=options.restore) if options.restore is not None else None


def run_job(job: Job, watch: Watch, pipeline: Pipeline | None = None) -> RunResult:
    """Run a job under the lock of its feed, if it sends anything, and keep in the ledger what it came to.

    `pipeline` is what it runs if that is neither the drop's nine steps nor the approval of a plan.
    """
    whole = pipeline is None and not job.run.approve
    pipeline = pipeline or (approve if job.run.approve else run_pipeline)
    with Ledger(job.ledger_at) as ledger:
        archive = Archive(job.home / "rosters", job.key, ledger.forgotten())
        lock = ledger.hold(job.key, job.run.id) if job.run.command == "sync" else nullcontext()
        with lock, watch:
            if job.run.command == "sync":
                watch.say(f"Target: {job.load.target.name}")
            job = with_history(job, ledger, archive)
            with notifying_of_failure(job, ledger, watch):
                run = begin_run(job, ledger)
                with noting_failure(run, job, ledger):
                    result = pipeline(with_newest_files(job, archive), ledger, archive, watch)
                result = finish_run(result, run, job, ledger, archive)
            return notify(result, job, ledger, whole=whole)


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
    return (
        frozenset()
        if users is None
        else frozenset(users["sourcedId"].filter(users["sourcedId"].str.contains("/")))
    )


def with_newest_files(job: Job, archive: Archive) -> Job:
    """Add which files the feed's newest roster came from."""
    fed_before = archive.fed(job.source.before) if job.source.before else {}
    return replace(job, source=replace(job.source, fed_before=fed_before))


def begin_run(job: Job, ledger: Ledger) -> Run:
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
def noting_failure(run: Run, job: Job, ledger: Ledger) -> Iterator[None]:
    """Note in the ledger if the body ends without a result: a plan that cannot be approved, a target or a disk that fails."""
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
    """Keep what a run holds as a plan, note in the ledger how it ended, and delete what is older than the feed keeps."""
    result = propose(result, job, ledger, archive)
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
            result, stale=stale(ended, runs, datetime.now(UTC)), unusual=unusual_in(result, runs)
        )
    if job.run.command == "sync":
        ledger.finish(_ended(ended, result, job))
        apply_retention(job.run.keep, job.folder, job.key, ledger, archive, datetime.now(UTC))
    return result


def _with_twin(result: RunResult, runs: list[Run]) -> RunResult:
    """Tell if the roster was accepted before, to the last cell: it is the same drop, or one of a source in which nothing changed."""
    twins = (run for run in runs if run.content == result.content and run.id != result.run)
    twin = next(twins, None) if result.content else None
    if twin is None:
        return result
    told = of_file("drop_again", "", f"run {twin.id} of {twin.started:%Y-%m-%d %H:%M} UTC")
    return replace(result, findings=gather([result.findings, told]))


def _ended(run: Run, result: RunResult, job: Job) -> Run:
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
    """What later runs must know of this one beside its counts."""
    if any(hold.rule in WHOLE_RUN for hold in result.holds):
        return STOPPED
    if result.adds_only:
        return ADDS_ONLY
    if result.restored or result.repaired:
        return RESTORED if result.restored else REPAIRED
    return CHANGES_ONLY if result.counts.keys() - result.whole else ""


def stale(run: Run, runs: Sequence[Run], now: datetime) -> str:
    """Say since when a run's drop is older than its feed allows; blank if it is not, or the feed sets no age.

    `runs` are those of the feed, the newest first. A drop is as old as the day that it says it is of; one that
    does not say is as old as the first of the latest runs that saw this same content.
    """
    if run.max_age_hours is None or not run.content:
        return ""
    since = _since(run, runs)
    if now - since <= timedelta(hours=run.max_age_hours):
        return ""
    how = f"of {run.drop_date}" if run.drop_date else f"the same since {since:%Y-%m-%d %H:%M} UTC"
    return (
        f"the drop {run.drop} is {how}, and may be {run.max_age_hours:g} hours old. "
        "Find out why no newer one comes."
    )


def _since(run: Run, runs: Sequence[Run]) -> datetime:
    if run.drop_date:
        return datetime.combine(run.drop_date, time.max, UTC)
    earlier = [
        one for one in runs if one.content and one.id != run.id and one.started <= run.started
    ]
    same = takewhile(lambda one: one.content == run.content, earlier)
    return min((one.started for one in (run, *same)), default=run.started)
