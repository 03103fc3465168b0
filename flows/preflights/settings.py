"""The first checks of a preflight: settings that can be meant, and secrets that are where they should be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from flows.errors import SettingsError
from flows.feeds.targets import choose
from flows.job import Job
from flows.make_job import make_job
from flows.options import Options
from flows.preflights.check import Check, failed, ok
from flows.result import USAGE
from flows.target import Credentials, Target

SETTINGS, SECRETS = "settings", "secrets"


def settings(options: Options, environment: Mapping[str, str]) -> tuple[list[Check], Job | None]:
    """Look at the settings, and make a job of them if they can be meant."""
    from flows.feeds.settings import read_feed

    try:
        feed = read_feed(options.drop) if options.drop.suffix.lower() == ".toml" else None
    except SettingsError as error:
        return [_wrong(SETTINGS, error)], None
    try:
        target = choose(options.target, feed, environment)
    except SettingsError as error:
        return [ok(SETTINGS, f"{options.drop} can be read."), _wrong(SECRETS, error)], None
    try:
        # As for a restore, which takes nothing from the drop: one that is not there is found by its own check.
        job = make_job(replace(options, replays=True), environment)
    except SettingsError as error:
        return [_wrong(SETTINGS, error)], None
    origin = job.source.rest.name if job.source.rest else job.source.drop
    said = f"{job.run.feed} into {job.load.target.name}, from {origin}, as {job.source.layout_name}."
    return [ok(SETTINGS, said), ok(SECRETS, _secrets(target))], job


def _wrong(name: str, error: SettingsError) -> Check:
    return failed(name, " ".join(error.problems), USAGE)


def _secrets(target: Target) -> str:
    held = target.credentials or Credentials()
    if target.url is None:
        return "The sandbox of this machine needs none."
    return "A ready access token is there." if held.access_token else "Client id and secret are there."
