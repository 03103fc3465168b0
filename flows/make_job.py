"""The settings of a run, made from the options and from the feed file or bare drop they name."""

from __future__ import annotations

import getpass
import os
import shlex
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from flows.dates import day_in_name, last_day_of_span
from flows.errors import SettingsError
from flows.extract import find_drop
from flows.feeds.targets import choose_target
from flows.job import Job, JobGuard, JobLoad, JobRun, JobSource
from flows.ledgers import ledger_address
from flows.notify.recipients import recipients_of
from flows.options import Options, option_values
from flows.rest_source import rest_source_of
from flows.result import SuggestedOptions
from flows.salts import Salt
from flows.target import Target
from transforms.share import SharingScope
from transforms.target_vocabulary import feed_vocabulary

if TYPE_CHECKING:
    from flows.feeds.feed import Feed
    from transforms.layouts.layout import Layout


def make_job(options: Options, environment: Mapping[str, str]) -> Job:
    """Make the settings of a run from options and a feed file, or from a bare folder or zip.

    Raises `SettingsError` for settings that are invalid or contradict each other.
    """
    feed = _feed(options.drop) if options.drop.suffix.lower() == ".toml" else None
    try:
        return _make_job(options, feed, environment)
    except (SettingsError, OSError) as error:  # also from a drop's store
        if feed and options.command == "sync" and not options.told.get("approve"):
            _tell_of_start(error, feed, options, environment)
        raise


def _tell_of_start(
    error: Exception, feed: Feed, options: Options, environment: Mapping[str, str]
) -> None:
    # Notifications are rarely needed here, and take a while to import.
    from flows.notify.send import notify_of_failed_start

    key_name = feed.key_name(options.district)
    notify_of_failed_start(
        error, feed, key_name, options.target, options.drop, options.state, environment
    )


def _make_job(options: Options, feed: Feed | None, environment: Mapping[str, str]) -> Job:
    target = choose_target(options.target, feed, environment)
    job = (
        _job_of_feed(options, feed, target, environment) if feed else _job_of_drop(options, target)
    )
    job = replace(
        job,
        run=replace(
            job.run,
            ledger=ledger_address(environment),
            repeat=_options_to_repeat(options, environment),
        ),
    )
    # These commands read the archive, or find their drops themselves.
    elsewhere = options.told.get("approve") or options.restore is not None or options.replays
    return job if elsewhere else find_drop(job)


def _feed(path: Path) -> Feed:
    # The models of feed files take a while to build, and a bare drop does not need them.
    from flows.feeds.feed import read_feed

    return read_feed(path)


def _job_of_drop(options: Options, target: Target) -> Job:
    """Make a job of a bare drop.

    It shares everything with a target on this machine. With any other target it shares no
    demographics and no contacts.
    """
    district = options.district or "default"
    scope = SharingScope(demographics=target.on_this_machine, contacts=target.on_this_machine)
    return Job(
        JobSource(
            drop=options.drop,
            dated=day_in_name(options.drop.name),
            **option_values(JobSource, options, None),
        ),
        JobGuard(**option_values(JobGuard, options, None)),
        JobLoad(
            target,
            scope,
            feed_vocabulary(target.profile.vocabulary),
            **option_values(JobLoad, options, None),
        ),
        _run_settings(options, district, district, None),
    )


def _job_of_feed(
    options: Options, feed: Feed, target: Target, environment: Mapping[str, str]
) -> Job:
    district = options.district or feed.district
    run = _run_settings(options, district, feed.key_name(district), feed)
    source = JobSource(
        drop=feed.drop_path,
        rest=rest_source_of(feed, environment),
        pickup=feed.picked_up(environment),
        layout=_layout(feed),
        dialect=feed.source.dialect(district, run.today, feed.own_zone),
        encoding=feed.encoding,
        dated=feed.dated,
        max_age_hours=feed.max_age_hours,
        ids=feed.ids_path,
        salt=_salt(feed, environment),
        **option_values(JobSource, options, feed),
    )
    guard = JobGuard(
        limits=feed.limits.limits,
        raised=feed.limits.raised(run.today),
        raised_name=feed.limits.once.name if feed.limits.once else "",
        removed=feed.removed,
        external=feed.external,
        blackout=last_day_of_span(feed.calendar.blackout, run.today),
        adds_only=last_day_of_span(feed.calendar.adds_only, run.today),
        **option_values(JobGuard, options, feed),
    )
    load = JobLoad(
        target,
        feed.scope(target.on_this_machine),
        feed.carrying,
        owners=feed.shared.owners,
        # Whoever says how many processes send means those of this machine. No flow has that option.
        runner="" if options.told.get("workers") else feed.run.runner,
        cluster=feed.run.cluster,
        **option_values(JobLoad, options, feed),
    )
    notify = recipients_of(feed, str(options.drop), environment)
    return Job(source, guard, load, replace(run, notify=notify, keep=feed.keep.keep))


def _run_settings(options: Options, district: str, feed: str, file: Feed | None) -> JobRun:
    values = option_values(JobRun, options, file)
    by = values.pop("by", "") or current_user()
    # The day of the run is the feed's, whatever the clock of this machine is set to.
    today = datetime.now(file.own_zone if file else None).date()
    return JobRun(
        options.command, options.state, today=today, district=district, feed=feed, by=by, **values
    )


def _layout(feed: Feed) -> Layout | str:
    """Return the layout's code, or the layout itself if it is the district's own."""
    # The models of mapping files take a while to build, and most feeds have none.
    from flows.feeds.mapping_file import read_mapping_file

    return read_mapping_file(feed.mapping_path) if feed.mapping_path else feed.layout


def _salt(feed: Feed, environment: Mapping[str, str]) -> Salt:
    """Return the salt of derived ids: a secret, or the district's name in the feed file."""
    secret = feed.source.salt(feed.path, environment)
    return Salt(feed.district) if secret is None else Salt(secret.value, is_secret=True)


def _options_to_repeat(options: Options, environment: Mapping[str, str]) -> SuggestedOptions:
    """Return the options that the next suggested command must repeat."""
    defaults = (Path(".roster"), Path(environment.get("ROSTER_STATE", ".roster")))
    state = () if options.state in defaults else ("--state", str(options.state))
    named = [
        word
        for name in ("target", "district")
        if (value := getattr(options, name))
        for word in (f"--{name}", value)
    ]
    return SuggestedOptions(
        "".join(f" {shlex.quote(word)}" for word in (*named, *state)),
        "".join(f" {shlex.quote(word)}" for word in state),
    )


def current_user() -> str:
    """Return the user's name, or the user's number if there is no name, as in containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
