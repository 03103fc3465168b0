"""`roster status`: each feed's last runs, its running run, held changes and stale drops."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from connectors.ledger import FeedKey, Holder, Ledger, Plan, Run
from flows.errors import SettingsError
from flows.feeds.feed import read_feed
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
    with Ledger.reading(ledger_location(state, environment)) as ledger:
        feeds = tuple(
            status_of(key, names_by_key.get(key, ""), ledger, now)
            for key in names_by_key or ledger.feeds()
        )
    return StatusResult(feeds, state, now, MANY if every else FEW)


PASSED = (DONE, HELD)


@dataclass(frozen=True)
class FeedStatus:
    """The state of a feed."""

    key: FeedKey
    runs: tuple[Run, ...]  # all runs, the newest first
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


def status_of(key: FeedKey, drop: str, ledger: Ledger, now: datetime) -> FeedStatus:
    """Return the state of a feed, from the ledger."""
    runs = ledger.runs(key)
    accepted = next((run for run in runs if run.content and run.ended), None)
    stale_sentence = stale(accepted, runs, now) if accepted else ""
    return FeedStatus(
        key, tuple(runs), ledger.holder(key), _waiting_plans(key, ledger, now), stale_sentence, drop
    )


def _waiting_plans(key: FeedKey, ledger: Ledger, now: datetime) -> tuple[Plan, ...]:
    """Return the open plans, and approved ones that were not sent completely."""
    open_plans = [plan for plan in ledger.plans(key, status="open") if plan.expires > now]
    return (*open_plans, *ledger.plans(key, status="approved"))


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
        found = [
            _state_of_file(file, ledger, environment, now, night_of(file.stem)) for file in files
        ]
    return sorted(found, key=lambda one: WORST.index(one.word))


def _state_of_file(
    file: Path, ledger: Ledger, environment: Mapping[str, str], now: datetime, night: Night | None
) -> FeedState:
    try:
        feed, key = read_feed(file), feed_key(file, environment)
    except SettingsError as error:
        return FeedState(file.stem, "failed", " ".join(error.problems))
    status = status_of(key, str(file), ledger, now)
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
