"""`roster probe`: finds out on a staging target what its API really does, keeps it, and tells it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from connectors.oneroster.probing import probe as asked
from connectors.oneroster.throwaway import PREFIX, Made, Throwaways
from flows.errors import SettingsError
from flows.feeds.targets import choose
from flows.opening import opened
from flows.options import Options
from flows.preflights.probes import Probed, begun, keep, kept
from flows.target import Target

REFUSED = (
    "A probe writes throw-away records, and nothing says that {target} is for that. "
    "If it is a staging target, say so under [target] in its feed's file: staging = true."
)
WRITING = "Target: {target}, into which throw-away records are written and deleted again; their ids begin with {prefix}"
LEFT = "Not taken away yet: {names}. The next probe tries again."


def is_staging(options: Options, environment: Mapping[str, str]) -> bool:
    """Tell whether a target may be probed. Raises `SettingsError` for settings that cannot be meant."""
    return _chosen(options, environment)[1]


def probe(options: Options, environment: Mapping[str, str], say: Callable[[str], None] = lambda _: None) -> Probed:
    """Find out what a target does, and keep that. Raises `SettingsError` for a target that is not for staging."""
    target = _target(options, environment)
    run, before = secrets.token_hex(4), kept(options.state, target)
    new = begun(target)
    earlier = before.left if before else ()
    say(WRITING.format(target=target.name, prefix=f"{PREFIX}{run}"))

    def swept(left: Sequence[Made]) -> None:
        """Keep what may still be there, however the probe ends."""
        keep(options.state, replace(before or new, left=tuple(left)))

    # A probe that is killed leaves its ids here, and the next one takes their records away.
    swept([*earlier, *Throwaways(run).ids()])
    with opened(target, options.state, 1) as address:
        try:
            found = asyncio.run(asked(address, run, earlier, swept))
        except KeyboardInterrupt:
            _tell_left(options.state, target, say)
            raise
    probed = replace(new, facts=found.facts, left=found.left, broken=found.broken, requests=found.requests)
    if not (probed.broken and before):  # one that broke off knows less than the one before
        keep(options.state, probed)
    return probed


def _target(options: Options, environment: Mapping[str, str]) -> Target:
    target, staging = _chosen(options, environment)
    if not staging:
        raise SettingsError(REFUSED.format(target=target.name))
    return target


def _chosen(options: Options, environment: Mapping[str, str]) -> tuple[Target, bool]:
    """Choose the target, and say whether it is for staging: on this machine, or because the feed's file says so of it."""
    feed = None
    if options.drop.suffix.lower() == ".toml":
        from flows.feeds.settings import read_feed

        feed = read_feed(options.drop)
    target = choose(options.target, feed, environment)
    said = feed is not None and feed.target.staging and choose(None, feed, environment).name == target.name
    return target, target.on_this_machine or said


def _tell_left(state: Path, target: Target, say: Callable[[str], None]) -> None:
    probed = kept(state, target)
    if probed and probed.left:
        say(LEFT.format(names=", ".join(f"{name} {sourced_id}" for name, sourced_id in probed.left)))
