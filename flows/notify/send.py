"""Sends notifications about a run, each cause once. A failure to send never changes the run."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.ledger import FeedKey, Ledger, LedgerError
from connectors.oneroster.target import TargetError
from connectors.roster_archive import ArchiveError
from flows.errors import SettingsError
from flows.feeds.keys import target_name
from flows.job import Job
from flows.ledgers import ledger_location
from flows.notify.causes import Cause, causes_of, completely_known_kinds, early_end_cause, kind_of
from flows.notify.recipients import Recipient, Recipients, recipients_of
from flows.reported_errors import error_sentence
from flows.result import NoticeKind, RunResult
from flows.safe_text import public_text
from flows.watch import Watch

if TYPE_CHECKING:
    from flows.feeds.feed import Feed


@dataclass(frozen=True)
class NotifiedRun:
    """The run that a notification is about."""

    key: FeedKey
    run: str = ""  # blank if it never began
    result: RunResult | None = None  # None if it ended early


@contextmanager
def notifying_of_failure(job: Job, ledger: Ledger, watch: Watch) -> Iterator[None]:
    """Notify the feed's recipients if the body raises an error."""
    try:
        yield
    except (SettingsError, TargetError, ArchiveError, OSError) as error:
        who = job.run.notify
        # Only the person who approves sees that a plan cannot be approved; it is no fault of the
        # feed.
        if (
            who
            and job.run.command == "sync"
            and not (job.run.approve and isinstance(error, SettingsError))
        ):
            for line in notify_of_error(error, who, NotifiedRun(job.key, job.run.id), ledger):
                watch.say(line)
        raise


def notify(result: RunResult, job: Job, ledger: Ledger, *, whole: bool) -> RunResult:
    """Notify the feed's recipients of a run's result. The result says who could not be reached.

    `whole` says that the run took all nine steps.
    """
    who = job.run.notify
    if who is None or job.run.command != "sync":
        return result
    causes = causes_of(result, who.drop, str(job.source.dated or result.content))
    failed = _notify_each(
        causes,
        completely_known_kinds(result, whole=whole),
        who,
        NotifiedRun(job.key, job.run.id, result),
        ledger,
    )
    return replace(result, untold=tuple(failed))


def notify_of_error(
    error: Exception, who: Recipients, occasion: NotifiedRun, ledger: Ledger
) -> list[str]:
    """Notify of a run that ended early, and return the failures. No older cause is over."""
    return _notify_each(
        [early_end_cause(error, error_sentence(error), who.drop)],
        frozenset(),
        who,
        occasion,
        ledger,
    )


def notify_of_failed_start(
    error: Exception,
    feed: Feed,
    key_name: str,
    target: str | None,
    drop: Path,
    state: Path,
    environment: Mapping[str, str],
) -> None:
    """Notify of a run that could not begin, if its feed and its target are known.

    The ledger keeps causes under both. Recipients who could not be reached are added to the error
    as notes.
    """
    who = recipients_of(feed, str(drop), environment)
    if who is None:
        return
    try:
        key = FeedKey(target_name(target or feed.target.url, environment), key_name)
        with Ledger(ledger_location(state, environment)) as ledger:
            failed = notify_of_error(error, who, NotifiedRun(key), ledger)
    except (LedgerError, SettingsError, OSError) as other:
        failed = [f"Not told: {other}"]
    for line in failed:
        error.add_note(line)


def _notify_each(
    causes: Sequence[Cause],
    over: Collection[NoticeKind],
    who: Recipients,
    occasion: NotifiedRun,
    ledger: Ledger,
) -> list[str]:
    """Send each recipient the causes that are new to them, and record that.

    Other causes of the kinds in `over` are forgotten. Returns a sentence for each failure.
    """
    wanted = [cause for cause in causes if cause.kind in who.on]
    faults = [one.fault for one in who.everyone]
    try:
        before, now = ledger.notified(occasion.key), set()
        for one in who.everyone:
            new = [cause for cause in wanted if cause.told_to(one.name) not in before]
            fault = _send_causes(new, occasion, one) if new else ""
            now |= set() if fault else {cause.told_to(one.name) for cause in new}
            faults.append(fault)
        past = [
            one
            for one in before
            if kind_of(one) in over and not any(cause.is_told_by(one) for cause in wanted)
        ]
        ledger.note_notified(occasion.key, now, over=past, run=occasion.run, at=datetime.now(UTC))
    except LedgerError as error:
        faults.append(f"It could not be recorded who was notified of what. {error}")
    return [f"Not told: {fault}" for fault in dict.fromkeys(faults) if fault]


def _send_causes(causes: Sequence[Cause], occasion: NotifiedRun, one: Recipient) -> str:
    """Send causes to a recipient. Return a sentence if that failed; otherwise blank."""
    try:
        return send_message(*message(causes, occasion), one)
    except SettingsError as error:
        return str(error)


APP = "roster"


def send_message(title: str, body: str, addressee: Recipient) -> str:
    """Send a message. Return a sentence without the address if that failed; otherwise blank."""
    with _silenced_apprise():
        # apprise takes a while to import, and on most nights there is nothing to send.
        from apprise import Apprise, AppriseAsset, NotifyFormat, NotifyType

        # One after the other in this thread, whether or not it has an event loop; no redirects, and
        # nothing stored on disk.
        asset = AppriseAsset(
            app_id=APP,
            app_desc=APP,
            app_url="",
            async_mode=False,
            http_redirects=False,
            storage_mode="memory",
        )
        service = Apprise(asset=asset)
        if not service.add(addressee.address.value):
            return (
                f"What {addressee.name} holds is no address that apprise knows, such as mailto:// "
                "or slack://. Correct it."
            )
        if not service.notify(
            body=body, title=title, notify_type=NotifyType.WARNING, body_format=NotifyFormat.TEXT
        ):
            return (
                f"The address that {addressee.name} holds did not take the message. "
                "The next run tries again."
            )
    return ""


@contextmanager
def _silenced_apprise() -> Iterator[None]:
    """Silence apprise's log and warnings, since they contain the address."""
    log = logging.getLogger("apprise")
    before, log.disabled = log.disabled, True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.disabled = before


# Counts that every good night has.
QUIET = ("read", "unchanged")


def message(causes: Sequence[Cause], occasion: NotifiedRun) -> tuple[str, str]:
    """Return the title and the text of a notification."""
    kinds = dict.fromkeys(cause.kind for cause in causes)
    return f"{occasion.key.feed}: {', '.join(kinds)}", public_text(
        "\n".join(_lines(causes, occasion))
    )


def _lines(causes: Sequence[Cause], occasion: NotifiedRun) -> Iterator[str]:
    for cause in causes:
        yield from (f"{cause.kind.title()}: {sentence}" for sentence in cause.sentences)
    if occasion.result:
        yield from _counts(occasion.result)
    yield from (
        f"Next: {command}"
        for command in dict.fromkeys(cause.command for cause in causes)
        if command
    )
    if occasion.result:
        yield f"Report: {occasion.result.report}"
    run = f"Run {occasion.run}" if occasion.run else "The run did not begin"
    yield f"{run}; target {occasion.key.target}."


def _counts(result: RunResult) -> Iterator[str]:
    for entity, counts in result.counts.items():
        if parts := [
            f"{count:,} {term}" for term, count in counts.items() if count and term not in QUIET
        ]:
            yield f"{entity}: {', '.join(parts)}"
