"""Make the settings of a run: from the command line's options, and the feed's file or the bare drop that they name."""

from __future__ import annotations

import getpass
import os
import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from flows.dates import dated, last_day
from flows.errors import SettingsError
from flows.extract import find_drop
from flows.feeds.targets import choose
from flows.job import Job, JobGuard, JobLoad, JobRun, JobSource
from flows.ledgers import ledger_address
from flows.notify.recipients import addressees
from flows.options import Options, values_of
from flows.rest_source import rest_source_of
from flows.result import Repeat
from flows.salts import Salt
from flows.target import Target
from transforms.share import Scope
from transforms.target_vocabulary import carrying

if TYPE_CHECKING:
    from flows.feeds.feed import Feed
    from transforms.layouts.layout import Layout


def make_job(options: Options, environment: Mapping[str, str]) -> Job:
    """Make the settings of a run out of options and a feed's file, or a bare folder or zip.

    Raises `SettingsError` for what cannot be meant.
    """
    feed = _feed(options.drop) if options.drop.suffix.lower() == ".toml" else None
    try:
        return _make_job(options, feed, environment)
    except (SettingsError, OSError) as error:  # also of what lies elsewhere
        if feed and options.command == "sync" and not options.told.get("approve"):
            _tell_of_start(error, feed, options, environment)
        raise


def _tell_of_start(
    error: Exception, feed: Feed, options: Options, environment: Mapping[str, str]
) -> None:
    from flows.notify.send import tell_of_start

    key_name = feed.key_name(options.district)
    tell_of_start(error, feed, key_name, options.target, options.drop, options.state, environment)


def _make_job(options: Options, feed: Feed | None, environment: Mapping[str, str]) -> Job:
    target = choose(options.target, feed, environment)
    job = _of_feed(options, feed, target, environment) if feed else _of_drop(options, target)
    job = replace(
        job,
        run=replace(
            job.run, ledger=ledger_address(environment), repeat=_repeat(options, environment)
        ),
    )
    # These take their rosters from the archive, or name their drops otherwise.
    elsewhere = options.told.get("approve") or options.restore is not None or options.replays
    return job if elsewhere else find_drop(job)


def _feed(path: Path) -> Feed:
    # pydantic takes a while to import, and a bare drop does not need it.
    from flows.feeds.feed import read_feed

    return read_feed(path)


def _of_drop(options: Options, target: Target) -> Job:
    """A bare drop may share everything with a target on this machine; with any other, no demographics and no contacts."""
    district = options.district or "default"
    scope = Scope(demographics=target.on_this_machine, contacts=target.on_this_machine)
    return Job(
        JobSource(
            drop=options.drop, dated=dated(options.drop.name), **values_of(JobSource, options, None)
        ),
        JobGuard(**values_of(JobGuard, options, None)),
        JobLoad(
            target, scope, carrying(target.profile.vocabulary), **values_of(JobLoad, options, None)
        ),
        _run(options, district, district, None),
    )


def _of_feed(options: Options, feed: Feed, target: Target, environment: Mapping[str, str]) -> Job:
    district = options.district or feed.district
    run = _run(options, district, feed.key_name(district), feed)
    source = JobSource(
        drop=feed.drop_path,
        rest=rest_source_of(feed, environment),
        pickup=feed.picked_up(environment),
        layout=_layout(feed),
        dialect=feed.source.dialect(district, run.today),
        encoding=feed.encoding,
        dated=feed.dated,
        max_age_hours=feed.max_age_hours,
        ids=feed.ids_path,
        salt=_salt(feed, environment),
        **values_of(JobSource, options, feed),
    )
    guard = JobGuard(
        limits=feed.limits.limits,
        raised=feed.limits.raised(run.today),
        raised_name=feed.limits.once.name if feed.limits.once else "",
        removed=feed.removed,
        external=feed.external,
        blackout=last_day(feed.calendar.blackout, run.today),
        adds_only=last_day(feed.calendar.adds_only, run.today),
        **values_of(JobGuard, options, feed),
    )
    load = JobLoad(
        target,
        feed.scope(target.on_this_machine),
        feed.carrying,
        runner=feed.run.runner,
        cluster=feed.run.cluster,
        **values_of(JobLoad, options, feed),
    )
    notify = addressees(feed, str(options.drop), environment)
    return Job(source, guard, load, replace(run, notify=notify, keep=feed.keep.keep))


def _run(options: Options, district: str, feed: str, file: Feed | None) -> JobRun:
    values = values_of(JobRun, options, file)
    by = values.pop("by", "") or current_user()
    return JobRun(options.command, options.state, district=district, feed=feed, by=by, **values)


def _layout(feed: Feed) -> Layout | str:
    """Give the layout's code, or the layout itself where it is the district's own."""
    from flows.feeds.mapping_file import layout_of

    return layout_of(feed.mapping_path) if feed.mapping_path else feed.layout


def _salt(feed: Feed, environment: Mapping[str, str]) -> Salt:
    """What the ids of contacts are made with: a secret or, however a run is told to call the feed, its district's name."""
    secret = feed.source.salt(feed.path, environment)
    return Salt(feed.district) if secret is None else Salt(secret.value, is_secret=True)


def _repeat(options: Options, environment: Mapping[str, str]) -> Repeat:
    """What was told beside the drop, as far as the next command must be told it too."""
    usual = (Path(".roster"), Path(environment.get("ROSTER_STATE", ".roster")))
    state = () if options.state in usual else ("--state", str(options.state))
    feed = [
        word
        for name in ("target", "district")
        if (said := getattr(options, name))
        for word in (f"--{name}", said)
    ]
    return Repeat(
        "".join(f" {shlex.quote(word)}" for word in (*feed, *state)),
        "".join(f" {shlex.quote(word)}" for word in state),
    )


def current_user() -> str:
    """The name of the user; the number of one without a name, as containers have them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
