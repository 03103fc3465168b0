"""`roster status`: each feed's last runs, its running run, held changes and stale drops."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from connectors.ledger import FeedKey, Holder, Ledger, Plan, Run, Which
from flows.errors import SettingsError
from flows.feeds.feed import Feed, read_feed
from flows.feeds.keys import feed_key
from flows.feeds.schedule import last_due
from flows.ledgers import ledger_location
from flows.result import DONE, FAILED, HELD, REPAIRED, SENT, UNDELIVERED, USAGE
from flows.run import stale

# How many runs of a feed are shown, without and with `--all`.
FEW, MANY = 3, 20


@dataclass(frozen=True)
class StatusResult:
    """The state of several feeds."""

    feeds: tuple[FeedStatus, ...]
    state: Path
    now: datetime
    most: int  # how many runs of each feed are shown

    @property
    def exit_code(self) -> int:
        """1 if any feed failed; otherwise 3 if anything is held."""
        codes = {feed.exit_code for feed in self.feeds}
        return next((code for code in (FAILED, HELD) if code in codes), DONE)


def status(
    drops: Sequence[Path], state: Path, environment: Mapping[str, str], *, every: bool
) -> StatusResult:
    """Return the state of the named feeds, or of all; `every` shows more runs.

    Raises `SettingsError` for a drop or a feed file that cannot be read.
    """
    now = datetime.now(UTC)
    names_by_key = {feed_key(drop, environment): str(drop) for drop in drops}
    most = MANY if every else FEW
    with Ledger.reading(ledger_location(state, environment)) as ledger:
        named = names_by_key or dict.fromkeys(ledger.feeds(), "")
        feeds = tuple(read_statuses(named, ledger, now, most))
    return StatusResult(feeds, state, now, most)


PASSED = (DONE, HELD)


@dataclass(frozen=True)
class FeedStatus:
    """The state of a feed."""

    key: FeedKey
    runs: tuple[Run, ...]  # the newest runs, and those asked for below, the newest first
    holder: Holder | None  # the run that is running now
    held: tuple[Plan, ...]  # open plans, and approved ones that were not sent completely
    stale: str  # a sentence; blank if the drop is new enough
    drop: str = ""  # the drop or the feed file that named the feed; blank if none did

    @property
    def last(self) -> Run | None:
        """The newest run that has ended. Runs with wrong settings did nothing, and do not count."""
        return next(
            (run for run in self.runs if not self.is_running(run) and run.exit_code != USAGE), None
        )

    @property
    def good(self) -> Run | None:
        """The newest run that left nothing unsent."""
        return next((run for run in self.runs if run.exit_code == DONE), None)

    @property
    def loaded(self) -> Run | None:
        """The newest run of a drop or a plan. Repairs say nothing about what was not delivered."""
        return next(
            (
                run
                for run in self.runs
                if not self.is_running(run) and run.exit_code != USAGE and run.note != REPAIRED
            ),
            None,
        )

    @property
    def accepted(self) -> Run | None:
        """The newest run that has ended and had accepted a roster."""
        return next((run for run in self.runs if run.content and run.ended), None)

    @property
    def foreign(self) -> int:
        """How many records the last load held as foreign.

        The target has different records with these ids, and this feed has not sent them.
        """
        if self.loaded is None or self.loaded.exit_code != HELD or self.loaded.plan:
            return 0
        return sum(counts.get("held", 0) for counts in self.loaded.counts.values())

    @property
    def undelivered(self) -> tuple[str, ...]:
        """The entities of which the last load could not deliver most records, because of errors."""
        counts = self.loaded.counts if self.loaded else {}
        return tuple(name for name, terms in counts.items() if terms.get(UNDELIVERED))

    @property
    def exit_code(self) -> int:
        """1 if the last run failed, was refused or ended early; 3 if anything is held or stale."""
        if self.last and self.last.exit_code not in PASSED:
            return FAILED
        return HELD if self.held or self.foreign or self.undelivered or self.stale else DONE

    def is_running(self, run: Run) -> bool:
        """Whether a run is running now."""
        return run.ended is None and self.holder is not None and run.id == self.holder.run


def read_statuses(
    drops: Mapping[FeedKey, str], ledger: Ledger, now: datetime, most: int = 1
) -> list[FeedStatus]:
    """Return the state of each feed, by the drop that named it, with its `most` newest runs.

    All feeds are read together, since a ledger may have thousands.
    """
    holders, plans = ledger.holders(drops), _waiting_plans(ledger, now)
    # One more, since the newest may be running.
    runs = ledger.newest_runs(drops, most + 1)
    newest = {
        key: FeedStatus(key, tuple(runs[key]), holders.get(key), plans[key], "", drop)
        for key, drop in drops.items()
    }
    found = dict(newest)
    for which, wanted in WANTED:
        lacking = [key for key, status in newest.items() if not wanted(status)]
        for key, older in ledger.newest_runs(lacking, 2, which).items() if lacking else ():
            found[key] = replace(found[key], runs=_merged(found[key].runs, older))
    return _with_stale_drops(list(found.values()), ledger, now)


# The runs that a status tells apart from the newest ones, and how to find them among those.
WANTED: tuple[tuple[Which, Callable[[FeedStatus], Run | None]], ...] = (
    (Which(but_exit_code=USAGE), lambda status: status.last),
    (Which(exit_code=DONE), lambda status: status.good),
    (Which(but_exit_code=USAGE, but_note=REPAIRED), lambda status: status.loaded),
    (Which(accepted=True), lambda status: status.accepted),
)


def _merged(newest: Sequence[Run], older: Sequence[Run]) -> tuple[Run, ...]:
    runs = {run.id: run for run in (*newest, *older)}.values()
    return tuple(sorted(runs, key=lambda run: (run.started, run.id), reverse=True))


def _with_stale_drops(
    feeds: Sequence[FeedStatus], ledger: Ledger, now: datetime
) -> list[FeedStatus]:
    accepted = [feed.accepted for feed in feeds if feed.accepted]
    undated = [run for run in accepted if run.max_age_hours is not None and not run.drop_date]
    since = ledger.unchanged_since(undated) if undated else {}
    return [
        replace(feed, stale=stale(feed.accepted, (), now, since.get(feed.accepted.id)))
        if feed.accepted
        else feed
        for feed in feeds
    ]


def _waiting_plans(ledger: Ledger, now: datetime) -> dict[FeedKey, tuple[Plan, ...]]:
    """Return the open plans of each feed, and approved ones that were not sent completely."""
    plans: defaultdict[FeedKey, tuple[Plan, ...]] = defaultdict(tuple)
    open_plans = [plan for plan in ledger.plans(status="open") if plan.expires > now]
    for plan in (*open_plans, *ledger.plans(status="approved")):
        plans[plan.key] += (plan,)
    return plans


def run_totals(run: Run) -> dict[str, int]:
    """Count a run's sent, rejected and held records of all entities."""
    terms = {"sent": SENT, "rejected": ("rejected",), "held": ("held",)}
    return {
        name: sum(counts.get(term, 0) for counts in run.counts.values() for term in wanted)
        for name, wanted in terms.items()
    }


StateWord = Literal[
    "succeeded",
    "held",
    "stale",
    "failed",
    "crashed",
    "did not run",
    "pending",
    "running",
    "paused",
    "not due",
    "not due yet",
]
WORST: tuple[StateWord, ...] = (
    "crashed",
    "failed",
    "did not run",
    "stale",
    "held",
    "pending",
    "running",
    "paused",
    "not due yet",
    "not due",
    "succeeded",
)
# A run begins within so long after it was due if nothing delays it. Before that it is not missed.
PROMPT = timedelta(minutes=10)
# A run may begin this much later than scheduled: workers may be busy, or down for a while. Until
# then it is pending.
GRACE = timedelta(hours=2)
# A run that the scheduler calls running enters the ledger within so long, or its process is gone.
SILENT = timedelta(minutes=30)
NightState = Literal["pending", "running", "crashed", "failed", "ended"]


@dataclass(frozen=True)
class Night:
    """What a scheduler says of a feed that it runs."""

    known_since: datetime | None = None  # when it got to know the feed
    due: datetime | None = None  # when the newest run was due that was not in the future
    state: NightState | None = None  # of that run
    started: datetime | None = None


@dataclass(frozen=True)
class FeedState:
    """The state of a feed in one word, with a sentence if there is something to do."""

    feed: str
    word: StateWord
    sentence: str
    status: FeedStatus | None = None


def feed_states(
    folder: Path,
    state: Path,
    environment: Mapping[str, str],
    now: datetime,
    night_of: Callable[[str], Night | None] = lambda _: None,
) -> list[FeedState]:
    """Return the state of each feed whose file is in a folder, the worst first.

    `night_of` returns what a scheduler says of a feed, by the name of its file without `.toml`;
    None if it does not know the feed. Raises `SettingsError` if the folder has no feed file.
    """
    files = sorted(folder.glob("*.toml"))
    if not files:
        raise SettingsError(
            f"{folder} has no feed file (*.toml). Name the folder of the feed files."
        )
    with Ledger.reading(ledger_location(state, environment)) as ledger:
        read = {file: _read_file(file, environment) for file in files}
        keys = {one[1]: str(file) for file, one in read.items() if not isinstance(one, FeedState)}
        statuses = {status.key: status for status in read_statuses(keys, ledger, now)}
    found = [
        one
        if isinstance(one, FeedState)
        else _state_of_file(file, *one, statuses, now, night_of(file.stem))
        for file, one in read.items()
    ]
    return sorted(found, key=lambda one: WORST.index(one.word))


def _read_file(file: Path, environment: Mapping[str, str]) -> tuple[Feed, FeedKey] | FeedState:
    try:
        return read_feed(file), feed_key(file, environment)
    except SettingsError as error:
        return FeedState(file.stem, "failed", " ".join(error.problems))


def _state_of_file(
    file: Path,
    feed: Feed,
    key: FeedKey,
    statuses: Mapping[FeedKey, FeedStatus],
    now: datetime,
    night: Night | None,
) -> FeedState:
    # Two files may name one feed.
    status = replace(statuses[key], drop=str(file))
    due = overdue = None
    if feed.schedule.cron and not feed.schedule.paused:
        due, overdue = (
            last_due(feed.schedule.cron, feed.time_zone, at) for at in (now, now - GRACE)
        )
    known_since = night.known_since if night else None
    if known_since is None and not status.runs:  # a file may be changed once the feed has run
        known_since = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    word, sentence = state_in_words(
        status, due, overdue, now, night, known_since=known_since, paused=feed.schedule.paused
    )
    return FeedState(file.stem, word, sentence, status)


def state_in_words(
    status: FeedStatus,
    due: datetime | None,
    overdue: datetime | None,
    now: datetime,
    night: Night | None = None,
    *,
    known_since: datetime | None = None,
    paused: bool = False,
) -> tuple[StateWord, str]:
    """Return the state of a feed in a word, with a sentence; the worse of what it did and missed.

    Args:
        status: What the ledger says of it.
        due: When it was last due; None without a schedule.
        overdue: The same as of so long ago that it can no longer be pending.
        now: The time.
        night: What its scheduler says; None if there is none, or if it does not know the feed.
        known_since: Since when the feed has been there, if that is known. Before that, nothing
            was due.
        paused: Whether its schedule is paused.
    """
    if status.holder:
        return "running", f"Run {status.holder.run} is under way since {status.holder.since}."
    if known_since is not None and night and night.due:  # its scheduler knew it by then
        known_since = min(known_since, night.due)
    is_new = due is not None and known_since is not None and due < known_since
    done = _ended(status) if status.last else _never_run(paused=paused, is_new=is_new)
    if known_since is not None:
        due, overdue = (at if at and at >= known_since else None for at in (due, overdue))
    for at in (overdue, due):
        if at is not None and not any(run.started >= at for run in status.runs):
            missed = _missed(at, at == overdue, now, night, status)
            return min(done, missed or done, key=lambda one: WORST.index(one[0]))
    return done


def _ended(status: FeedStatus) -> tuple[StateWord, str]:
    """Return how the last run of a feed ended."""
    if status.exit_code == FAILED:
        if status.last and not status.last.ended:
            sentence = (
                f"Run {status.last.id} was killed, or its machine stopped. The next run goes on "
                f"from there: roster status {status.drop}"
            )
            return "crashed", sentence
        how = status.last.status if status.last else "failed"
        return "failed", f"Its last run {how}: roster status {status.drop}"
    if status.stale:
        return "stale", status.stale
    if status.exit_code == HELD:
        return "held", f"Changes are on hold: roster status {status.drop}"
    return "succeeded", ""


def _never_run(*, is_new: bool, paused: bool) -> tuple[StateWord, str]:
    if paused:
        return "paused", "Its schedule is paused."
    if is_new:
        return "not due yet", "It is new, and has not been due yet."
    return "not due", "It has never run."


def _missed(
    due: datetime, is_over: bool, now: datetime, night: Night | None, status: FeedStatus
) -> tuple[StateWord, str] | None:
    """Return what became of a run that was due and that the ledger has no trace of.

    `is_over` says that it can no longer be pending.
    """
    at = f"{due:%Y-%m-%d %H:%M %Z}"
    state = night.state if night and night.due and night.due >= due else None
    if state == "running" and night and night.started and now - night.started > SILENT:
        state = "crashed"
    if state == "crashed" or state == "failed":
        return state, f"Its run of {at} {state} before it began: see its page in Prefect."
    if state == "running":
        return "running", f"Its run of {at} has begun."
    if is_over or state == "ended":
        never = "" if status.runs else " It has never run."
        advice = "Is the worker up, and the feed deployed?"
        return "did not run", f"It was due at {at}, and did not run.{never} {advice}"
    return ("pending", f"It was due at {at}, and has not begun.") if now - due > PROMPT else None
