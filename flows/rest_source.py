"""A feed whose rosters are read from a OneRoster API in place of files: which, how, and since when."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

import polars as pl

from connectors.ledger.history import Run
from flows.feeds.targets import credentials
from flows.result import RESTORED
from flows.target import Credentials
from transforms.changes import ACTIVE
from transforms.roster import Raw
from transforms.schemas.entity import Version

if TYPE_CHECKING:
    from flows.feeds.feed import Feed

CHANGES = ", changes since "
SENT = ("done", "unchanged")


@dataclass(frozen=True, kw_only=True)
class RestSource:
    """A OneRoster API, and how it is read. Its `credentials` sign each request if `signature` names a method.

    `changed` is when the feed's file was written. `since` is the moment (in UTC) after which a change is asked for;
    None: everything is. `known` are the ids that it had when it was read before, by collection.
    """

    url: str
    version: Version
    collections: tuple[str, ...]
    token_url: str = ""
    signature: Literal["", "HMAC-SHA1", "HMAC-SHA256"] = ""
    credentials: Credentials = field(default_factory=Credentials)
    zone: ZoneInfo
    patience_seconds: float = 120.0
    delta: bool = False
    full_days: int = 7
    overlap_hours: int = 1
    changed: datetime
    since: datetime | None = None
    known: Mapping[str, Collection[str]] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """Where the API is, for people."""
        return self.url.partition("://")[2]

    @property
    def drop_name(self) -> str:
        """What stands in place of a drop's name, also in the ledger: what was read, and since when."""
        return f"{self.name}{CHANGES}{self.since:%Y-%m-%d %H:%M} UTC" if self.since else self.name


def rest_source_of(feed: Feed, environment: Mapping[str, str]) -> RestSource | None:
    """Give the API that a feed's file names, with its credentials. Raises `SettingsError`."""
    said = feed.rest
    if said is None:
        return None
    return RestSource(
        url=said.url,
        version=said.version,
        collections=tuple(said.collections),
        token_url=said.token_url or "",
        signature=said.signature if said.oauth == "1.0a" else "",
        credentials=credentials(feed, "rest", environment),
        zone=ZoneInfo(feed.time_zone),
        patience_seconds=said.patience_seconds,
        delta=said.delta,
        full_days=said.full_days,
        overlap_hours=said.overlap_hours,
        changed=datetime.fromtimestamp(feed.path.stat().st_mtime, UTC),
    )


def since_last(source: RestSource, runs: Sequence[Run], now: datetime) -> RestSource:
    """Ask only for what changed since the last run that sent all (of a feed's `runs`, the newest first), if that is safe.

    It is not if something else was loaded after it, if the feed's file says something else by now, or if the
    last reading of everything is too long ago: whatever a source does not tell as a change waits for the next one.
    """
    taken = (run for run in runs if run.command == "sync" and not run.approved)
    ours = takewhile(lambda run: _is_of(source, run), taken)
    sent = [run for run in ours if run.status in SENT]
    whole = next((run for run in sent if run.drop == source.name), None)
    if not source.delta or whole is None or whole.started <= source.changed:
        return source
    if (now.date() - whole.started.date()).days >= source.full_days:
        return source
    return replace(source, since=sent[0].started - timedelta(hours=source.overlap_hours))


def _is_of(source: RestSource, run: Run) -> bool:
    """Whether a run read this source, and did not bring back an older roster."""
    return run.drop.partition(CHANGES)[0] == source.name and run.note != RESTORED


def knowing(source: RestSource, known: Mapping[str, pl.DataFrame], prefix: str) -> RestSource:
    """Tell what the ledger knows (`sourcedId`, `status`) of those who must not vanish because a page lacked them.

    Ids have a `prefix` here that they do not have there.
    """
    if source.since:
        return source
    active = {
        name: frame.filter(pl.col("status") == ACTIVE)["sourcedId"] for name, frame in known.items()
    }
    return replace(
        source,
        known={name: frozenset(ids.str.strip_prefix(prefix)) for name, ids in active.items()},
    )


def read_rest(source: RestSource) -> Raw:
    """Read a source as a drop. Raises `TargetError` if it cannot be used at all."""
    # What talks to an API takes a while to import, and most feeds read files.
    from connectors.oneroster.profile import standard_profile
    from connectors.oneroster.retry import RetryPolicy
    from connectors.oneroster.source import Key, read_source
    from connectors.oneroster.target import Endpoint

    held = {
        name: secret.value
        for name, secret in vars(source.credentials).items()
        if secret is not None
    }
    key = (
        Key(held["client_id"], held["client_secret"], source.signature)
        if source.signature
        else None
    )
    address = Endpoint(
        source.url,
        source.token_url,
        patience=RetryPolicy(seconds=source.patience_seconds),
        profile=standard_profile(source.version),
        **held,
    )
    return asyncio.run(
        read_source(
            address,
            source.version,
            source.collections,
            since=source.since,
            zone=source.zone,
            key=key,
            known=source.known,
        )
    )
