"""The settings of one run.

`flows/make_job.py` makes them from the command line, the feed file and the environment;
`flows/run.py` adds what earlier runs determine.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path

from connectors.ledger import FeedKey
from flows.arrival import DropLocation
from flows.ledgers import FILE
from flows.notify.recipients import Recipients
from flows.options import Command, GuardOptions, LoadOptions, RunOptions, SourceOptions
from flows.rest_source import RestSource
from flows.result import SuggestedOptions
from flows.retention import Retention
from flows.salts import Salt
from flows.target import Target
from transforms.guard import GuardLimits
from transforms.layouts.ids import DigestIds
from transforms.layouts.layout import Layout
from transforms.layouts.options import ReadingOptions
from transforms.removals import Policy
from transforms.share import SharingScope
from transforms.target_vocabulary import FeedVocabulary


def new_run_id() -> str:
    """Return a new run id: the local time, and random digits."""
    return f"{datetime.now().astimezone():%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"


@dataclass(frozen=True)
class JobSource(SourceOptions):
    """Where the roster comes from, and how it is read."""

    drop: Path
    rest: RestSource | None = None  # the API that is read instead of a drop
    # where the drop is, and how to wait for its arrival
    pickup: DropLocation = field(default_factory=DropLocation)
    layout: Layout | str = "auto"  # a code, `auto`, or a layout of the district's own
    dialect: ReadingOptions | None = None  # the feed's settings for reading the layout
    encoding: str | None = None
    dated: date | None = None  # the day that the drop is about
    max_age_hours: float | None = None
    older: bool = False  # older data may overwrite newer data
    ids: Path | None = None  # a file of old and new ids
    salt: Salt = field(default_factory=Salt)  # how ids are derived from personal data
    # the ids that keep an older form, since they were sent in it
    digests: DigestIds = field(default_factory=DigestIds)
    # ids that the source replaced (see `ReadingOptions`)
    renamed: Mapping[tuple[str, str], str] = field(default_factory=dict)
    # the courses of classes that it moved (the same)
    cross_listed: Mapping[str, str] = field(default_factory=dict)
    before: str = ""  # the run whose archived roster is the feed's newest
    # the files of that roster, as in `Table.fed`
    fed_before: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unsent: frozenset[str] = frozenset()  # ids of people in that roster, if not all of it was sent
    # by entity, the ids in that roster to which a drop may refer, if not all of it was sent
    arrears: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The drop's name, or the name of the API that is read."""
        return self.rest.drop_name if self.rest else self.drop.name

    @property
    def layout_name(self) -> str:
        """The code of the layout."""
        return self.layout if isinstance(self.layout, str) else self.layout.code


@dataclass(frozen=True)
class JobGuard(GuardOptions):
    """What needs a person's approval."""

    limits: GuardLimits = field(default_factory=GuardLimits)
    raised: GuardLimits | None = None  # limits raised for one run
    raised_name: str = ""  # the name by which the ledger knows the raised limits
    # the feed's policies for records that are missing from a drop
    removed: Mapping[str, Policy] = field(default_factory=dict)
    # entities of which a drop may refer to records that others put into the target
    external: frozenset[str] = frozenset()
    blackout: date | None = None  # the last day of a blackout, if today is in one: nothing is sent
    # the last day on which only new records are sent, if today is in such a time
    adds_only: date | None = None


@dataclass(frozen=True)
class JobLoad(LoadOptions):
    """What is sent, where to, and how fast."""

    target: Target
    scope: SharingScope
    carrying: FeedVocabulary
    # the feeds that own what they share with others: names of feeds or of their districts
    owners: tuple[str, ...] = ()
    runner: str = ""  # the task runner that spreads batches over a cluster; only flows use it
    cluster: str = ""  # the address of the cluster
    # the state folder of a rehearsal, which sends nothing; None: no rehearsal
    scratch: Path | None = None
    in_arrears: bool = False  # an earlier run left records unsent


@dataclass(frozen=True)
class JobRun(RunOptions):
    """Which run this is, whose, and what it leaves behind."""

    command: Command
    state: Path
    id: str = field(default_factory=new_run_id)
    today: date = field(default_factory=date.today)
    district: str = "default"
    feed: str = "default"
    # its address, which contains a password; blank: a file
    ledger: str = field(default="", repr=False)
    notify: Recipients | None = None  # who is notified of the run
    keep: Retention = field(default_factory=Retention)
    repeat: SuggestedOptions = field(default_factory=SuggestedOptions)


@dataclass(frozen=True)
class Job:
    """The settings of one run."""

    source: JobSource
    guard: JobGuard
    load: JobLoad
    run: JobRun

    @property
    def key(self) -> FeedKey:
        """The key of this feed and target in the ledger."""
        return FeedKey(self.load.target.name, self.run.feed)

    @property
    def names(self) -> dict[str, object]:
        """The names of a run, for results of every kind."""
        return {"run": self.run.id, "district": self.run.district, "target": self.load.target.name}

    @property
    def as_written(self) -> ReadingOptions:
        """How the drop is written, and how to read it today."""
        dialect = self.source.dialect or ReadingOptions(self.run.today, district=self.run.district)
        return replace(
            dialect,
            today=self.run.today,
            strict=self.source.strict,
            secrets=self.load.scope.passwords,
            renamed=self.source.renamed,
            cross_listed=self.source.cross_listed,
            digests=self.source.digests,
        )

    @property
    def rehearsal(self) -> bool:
        """Whether the run sends nothing, and records everything as sent."""
        return self.load.scratch is not None

    @property
    def home(self) -> Path:
        """The folder in which the run leaves its state and its files."""
        return self.load.scratch or self.run.state

    @property
    def folder(self) -> Path:
        """The folder of this run's report and rejects."""
        return self.home / "runs" / self.run.id

    @property
    def ledger_at(self) -> Path | str:
        """The ledger's address, or its file."""
        return self.run.ledger or self.home / FILE

    @property
    def nothing_there(self) -> bool:
        """Whether the target is an embedded sandbox that has never been started."""
        return self.load.target.url is None and not (self.run.state / "sandbox.db").exists()
