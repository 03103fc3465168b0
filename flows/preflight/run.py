"""`roster preflight`: everything that can be known before a first load.

Nothing is written to the target. Problems that a person can fix are reported, never raised.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from connectors.ledger import Ledger, LedgerError
from flows.errors import SettingsError
from flows.feeds.targets import choose_target
from flows.job import Job
from flows.make_job import make_job
from flows.options import Options
from flows.preflight.check import Check, Preflight, failed, not_checked, passed, warning
from flows.preflight.drop import check_drop_contents, read_drop_contents
from flows.preflight.probe import StoredProbe, is_staging, problem_sentence, read_probe
from flows.preflight.provider import check_profile
from flows.preflight.target import check_first_load, check_target
from flows.result import USAGE
from flows.target import Credentials, Target
from transforms.grammar import agree, count_of


def preflight(options: Options, environment: Mapping[str, str]) -> Preflight:
    """Check settings, secrets, target, drop and state. The target is only read."""
    settings_checks, job = check_settings(options, environment)
    if job is None:
        return Preflight(str(options.drop), "", tuple(settings_checks))
    job, drop = read_drop_contents(job)
    target_checks = check_target(job, drop.touched(job.load.target.profile.collections))
    usable = not any(check.standing == "not ok" for check in target_checks)
    state_checks = check_state(job)
    # If the target cannot be read, external records are not requested again.
    without_external = replace(job, guard=replace(job.guard, external=frozenset()))
    drop_checks, accepted = check_drop_contents(job if usable else without_external, drop)
    checks = [
        *settings_checks,
        *(check_profile(job.source.rest) if job.source.rest else ()),
        *target_checks,
        *drop_checks,
        *state_checks,
        check_first_load(job, accepted, usable),
    ]
    staging = is_staging(options, environment)
    return Preflight(job.run.feed, job.load.target.name, (*checks, check_probe(job, staging)))


SETTINGS, SECRETS = "settings", "secrets"


def check_settings(
    options: Options, environment: Mapping[str, str]
) -> tuple[list[Check], Job | None]:
    """Check the settings, and make a job of them if they are valid."""
    # The models of feed files take a while to build, and `roster --help` does not need them.
    from flows.feeds.feed import read_feed

    try:
        feed = read_feed(options.drop) if options.drop.suffix.lower() == ".toml" else None
    except SettingsError as error:
        return [_settings_failure(SETTINGS, error)], None
    try:
        target = choose_target(options.target, feed, environment)
    except SettingsError as error:
        return [
            passed(SETTINGS, f"{options.drop} can be read."),
            _settings_failure(SECRETS, error),
        ], None
    try:
        # `replays` skips the search for the drop, which has a check of its own.
        job = make_job(replace(options, replays=True), environment)
    except SettingsError as error:
        return [_settings_failure(SETTINGS, error)], None
    origin = job.source.rest.name if job.source.rest else job.source.drop
    sentence = (
        f"{job.run.feed} into {job.load.target.name}, from {origin}, as {job.source.layout_name}."
    )
    return [passed(SETTINGS, sentence), passed(SECRETS, _secrets_sentence(target))], job


def _settings_failure(name: str, error: SettingsError) -> Check:
    return failed(name, " ".join(error.problems), USAGE)


def _secrets_sentence(target: Target) -> str:
    credentials = target.credentials or Credentials()
    if target.url is None:
        return "The sandbox of this machine needs none."
    return (
        "There is an access token."
        if credentials.access_token
        else "There are a client id and a secret."
    )


STATE, LEDGER, FREE, PROBE = "state folder", "ledger", "feed", "probe"
OTHERS = stat.S_IRWXG | stat.S_IRWXO
OLD_DAYS = 90
UNKNOWN = (
    "Whether the client may also write cannot be known without writing. On a staging target "
    "`roster probe` finds out."
)


def check_state(job: Job) -> list[Check]:
    """Check the state folder and the ledger, without creating either."""
    return [_check_folder(job.run.state), *_check_ledger(job)]


def check_probe(job: Job, staging: bool) -> Check:
    """Report what the last probe found, and where the loader's assumptions are wrong."""
    found = read_probe(job.run.state, job.load.target)
    if found is None or not found.facts:
        return (
            warning(PROBE, f"None was kept of {job.load.target.name}. {UNKNOWN}")
            if not staging
            else warning(
                PROBE,
                f"None was kept of {job.load.target.name}: `roster probe` finds out what it does, "
                "and whether the client may write.",
            )
        )
    return _probe_check(found)


def _check_folder(folder: Path) -> Check:
    nearest = next(one for one in (folder.absolute(), *folder.absolute().parents) if one.exists())
    if not nearest.is_dir():
        return failed(
            STATE, f"{nearest} is a file, where a folder is needed. Name another with --state."
        )
    if not os.access(nearest, os.W_OK | os.X_OK):
        return failed(
            STATE,
            f"{nearest} cannot be written to. Let this user write to it, or name another with "
            "--state.",
        )
    if not folder.exists():
        return passed(STATE, f"{folder} will be made, for its owner only.")
    if nearest.stat().st_mode & OTHERS:
        return warning(
            STATE,
            f"{folder} is open to others of this machine, and will hold names of people: chmod "
            f"700 {folder}",
        )
    return passed(STATE, f"{folder} can be written to, by its owner only.")


def _check_ledger(job: Job) -> list[Check]:
    location = job.ledger_at
    if isinstance(location, Path) and location.exists() and not os.access(location, os.W_OK):
        return [
            failed(LEDGER, f"{location} cannot be written to. Let this user write to it."),
            _unchecked_feed(),
        ]
    try:
        with Ledger.reading(location) as ledger:
            holder = ledger.holder(job.key)
            shown = ledger.place
    except LedgerError as error:
        return [failed(LEDGER, str(error)), _unchecked_feed()]
    new = isinstance(location, Path) and not location.exists()
    usable = passed(LEDGER, f"{shown} will be made." if new else f"{shown} can be used.")
    if holder is None:
        return [
            usable,
            passed(FREE, "No other run is loading this feed."),
        ]
    who = f"run {holder.run} (process {holder.process} on {holder.host}), since {holder.since}"
    return [
        usable,
        failed(
            FREE,
            f"{job.run.feed} is being loaded by {who}. Wait until it has ended, or stop that "
            "process.",
        ),
    ]


def _unchecked_feed() -> Check:
    return not_checked(FREE, "The ledger says who is loading this feed.")


def _probe_check(found: StoredProbe) -> Check:
    days = (datetime.now(UTC) - found.at).days
    when = "today" if days < 1 else f"{count_of(days, 'days')} ago"
    problems = found.problems
    if found.broken:
        return warning(
            PROBE, f"The probe of {found.at:%Y-%m-%d} stopped early: {found.broken} Probe again."
        )
    fine = "The client may write, and nothing differs from what the loader assumes."
    lines = [
        f"Found on {found.at:%Y-%m-%d}, {when}.",
        *(map(problem_sentence, problems) if problems else [fine]),
    ]
    if found.left:
        number, are = len(found.left), agree(len(found.left), "are")
        lines.append(
            f"{count_of(number, 'throw-away records')} {are} still there: `roster probe` again "
            "deletes what it can."
        )
    if days > OLD_DAYS:
        lines.append("That is long ago: probe again.")
    if any(problem.question == "create" for problem in problems):  # the client may not write
        return failed(PROBE, "\n".join(lines))
    return (warning if problems or found.left or days > OLD_DAYS else passed)(
        PROBE, "\n".join(lines)
    )
