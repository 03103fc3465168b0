"""The checks of a preflight on this machine: the state folder, the ledger, who holds the feed, and what a probe found."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime
from pathlib import Path

from connectors.ledger import Ledger, LedgerError
from connectors.oneroster.assumptions import Problem
from flows.job import Job
from flows.preflights.check import Check, failed, ok, unseen, warning
from flows.preflights.probes import Probed, kept, problem_sentence

STATE, LEDGER, FREE, PROBE = "state folder", "ledger", "feed", "probe"
OTHERS = stat.S_IRWXG | stat.S_IRWXO
OLD_DAYS = 90
UNKNOWN = (
    "Whether the client may also write cannot be known without writing. On a staging target `roster probe` finds out."
)


def state(job: Job) -> list[Check]:
    """Look at the folder and the ledger, without leaving anything there."""
    return [_folder(job.run.state), *_ledger(job)]


def probed(job: Job, staging: bool) -> Check:
    """Say what the last probe of the target found, and where that differs from what the loader assumes."""
    found = kept(job.run.state, job.load.target)
    if found is None or not found.facts:
        return warning(PROBE, f"None was kept of {job.load.target.name}. {UNKNOWN}") if not staging else warning(
            PROBE, f"None was kept of {job.load.target.name}: `roster probe` finds out what it does, and whether the client may write."
        )  # fmt: skip
    return _probe(found)


def _folder(folder: Path) -> Check:
    there = next(one for one in (folder.absolute(), *folder.absolute().parents) if one.exists())
    if not there.is_dir():
        return failed(STATE, f"{there} is a file, where a folder is needed. Name another with --state.")
    if not os.access(there, os.W_OK | os.X_OK):
        return failed(STATE, f"{there} cannot be written to. Let this user write to it, or name another with --state.")
    if not folder.exists():
        return ok(STATE, f"{folder} will be made, for its owner only.")
    if there.stat().st_mode & OTHERS:
        return warning(
            STATE, f"{folder} is open to others of this machine, and will hold names of people: chmod 700 {folder}"
        )
    return ok(STATE, f"{folder} can be written to, by its owner only.")


def _ledger(job: Job) -> list[Check]:
    place = job.ledger_at
    if isinstance(place, Path) and place.exists() and not os.access(place, os.W_OK):
        return [failed(LEDGER, f"{place} cannot be written to. Let this user write to it."), _unseen_feed()]
    try:
        with Ledger.reading(place) as ledger:
            holder = ledger.holder(job.key)
            shown = ledger.place
    except LedgerError as error:
        return [failed(LEDGER, str(error)), _unseen_feed()]
    new = isinstance(place, Path) and not place.exists()
    there = ok(LEDGER, f"{shown} will be made." if new else f"{shown} can be used.")
    if holder is None:
        return [there, ok(FREE, f"Nobody else loads {job.run.feed} into {job.load.target.name}.")]
    who = f"run {holder.run} (process {holder.process} on {holder.host}), since {holder.since}"
    return [
        there,
        failed(FREE, f"{job.run.feed} is being loaded by {who}. Wait until it has ended, or stop that process."),
    ]


def _unseen_feed() -> Check:
    return unseen(FREE, "Who loads this feed stands in the ledger.")


def _probe(found: Probed) -> Check:
    days = (datetime.now(UTC) - found.at).days
    when = "today" if days < 1 else f"{days} day{'s' if days > 1 else ''} ago"
    problems = found.problems
    if found.broken:
        return warning(PROBE, f"The probe of {found.at:%Y-%m-%d} broke off: {found.broken} Probe again.")
    fine = "The client may write, and nothing differs from what the loader assumes."
    said = [f"Found on {found.at:%Y-%m-%d}, {when}.", *(map(problem_sentence, problems) if problems else [fine])]
    if found.left:
        number = "1 throw-away record is" if len(found.left) == 1 else f"{len(found.left)} throw-away records are"
        said.append(f"{number} still there: `roster probe` again takes away what it can.")
    if days > OLD_DAYS:
        said.append("That is long ago: probe again.")
    if any(map(_forbids, problems)):
        return failed(PROBE, "\n".join(said))
    return (warning if problems or found.left or days > OLD_DAYS else ok)(PROBE, "\n".join(said))


def _forbids(problem: Problem) -> bool:
    return problem.question == "create"
