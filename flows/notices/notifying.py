"""Tells people of what a run came to, each cause once; whether that goes well changes nothing of the run."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from connectors.archive import ArchiveError
from connectors.ledger import Ledger, LedgerError
from connectors.oneroster.target import TargetError
from flows.errors import SettingsError, error_sentence
from flows.job import Job
from flows.notices.addressees import Addressee, Addressees
from flows.notices.causes import Cause, broken_off, causes_of, kind_of, settled
from flows.notices.message import Occasion, message
from flows.result import NoticeKind, Result
from flows.watch import Watch


@contextmanager
def notifying_of_failure(job: Job, ledger: Ledger, watch: Watch) -> Iterator[None]:
    """Notify the feed's people if the body ends early."""
    try:
        yield
    except (SettingsError, TargetError, ArchiveError, OSError) as error:
        who = job.run.notify
        # A plan that cannot be approved is told to who would approve it, and is no fault of the feed.
        if who and job.run.command == "sync" and not (job.run.approve and isinstance(error, SettingsError)):
            for line in tell_of_error(error, who, Occasion(job.key, job.run.id), ledger):
                watch.say(line)
        raise


def notify(result: Result, job: Job, ledger: Ledger, *, whole: bool) -> Result:
    """Notify the feed's people of what a run came to; the result says who could not be reached.

    `whole` says that the run took all nine steps.
    """
    who = job.run.notify
    if who is None or job.run.command != "sync":
        return result
    causes = causes_of(result, who.drop, str(job.source.dated or result.content))
    untold = _tell(causes, settled(result, whole=whole), who, Occasion(job.key, job.run.id, result), ledger)
    return replace(result, untold=tuple(untold))


def tell_of_error(error: Exception, who: Addressees, occasion: Occasion, ledger: Ledger) -> list[str]:
    """Tell of a run that broke off; give what could not be told. Nothing is known to be over."""
    return _tell([broken_off(error, error_sentence(error), who.drop)], frozenset(), who, occasion, ledger)


def _tell(
    causes: Sequence[Cause], over: Collection[NoticeKind], who: Addressees, occasion: Occasion, ledger: Ledger
) -> list[str]:
    """Tell each addressee of what is new to them, and keep that; other causes of the kinds `over` are forgotten."""
    wanted = [cause for cause in causes if cause.kind in who.on]
    faults = [one.fault for one in who.everyone]
    try:
        before, now = ledger.told(occasion.key), set()
        for one in who.everyone:
            new = [cause for cause in wanted if cause.told_to(one.name) not in before]
            fault = _delivered(new, occasion, one) if new else ""
            now |= set() if fault else {cause.told_to(one.name) for cause in new}
            faults.append(fault)
        past = [one for one in before if kind_of(one) in over and not any(cause.is_told_by(one) for cause in wanted)]
        ledger.note_told(occasion.key, now, over=past, run=occasion.run, at=datetime.now(UTC))
    except LedgerError as error:
        faults.append(f"It cannot be kept who was told of what. {error}")
    return [f"Not told: {fault}" for fault in dict.fromkeys(faults) if fault]


def _delivered(causes: Sequence[Cause], occasion: Occasion, one: Addressee) -> str:
    """Send what is new to an addressee; give a sentence if that cannot be done, else blank."""
    # What can send takes a while to import, and on most nights there is nothing to tell.
    from flows.notices.delivering import deliver

    try:
        return deliver(*message(causes, occasion), one)
    except SettingsError as error:
        return str(error)
