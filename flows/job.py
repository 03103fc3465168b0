"""The settings of one run, from wherever they were told: the command line, the feed's file, the environment, earlier runs."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path

from connectors.ledger import FeedKey
from flows.arrival import Pickup
from flows.ledgers import FILE
from flows.notify.recipients import Addressees
from flows.options import Command, GuardOptions, LoadOptions, RunOptions, SourceOptions
from flows.rest_source import RestSource
from flows.result import Repeat
from flows.retention import Keep
from flows.salts import Salt
from flows.target import Target
from transforms.guard import GuardLimits
from transforms.layouts.ids import Digests
from transforms.layouts.layout import Layout
from transforms.layouts.options import Dialect
from transforms.removals import Policy
from transforms.share import Scope
from transforms.target_vocabulary import Carrying


def new_run() -> str:
    """Name a run after the moment, on the clock of this machine."""
    return f"{datetime.now().astimezone():%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"


@dataclass(frozen=True)
class JobSource(SourceOptions):
    """Where the roster comes from, and how it is read."""

    drop: Path
    rest: RestSource | None = None  # the API that is read instead of a drop
    # where the drop lies, and how its arrival is awaited
    pickup: Pickup = field(default_factory=Pickup)
    layout: Layout | str = "auto"  # a code, `auto`, or a layout of the district's own
    dialect: Dialect | None = None  # what the feed's file says about how it is written
    encoding: str | None = None
    dated: date | None = None  # the day that the drop is of
    max_age_hours: float | None = None
    older: bool = False  # a drop may be put over what is newer
    ids: Path | None = None  # a file of old and new ids
    salt: Salt = field(default_factory=Salt)  # how ids are made of personal data
    # and which of them are made otherwise, since they were sent
    digests: Digests = field(default_factory=Digests)
    # ids that the source gave up (see `Dialect`)
    renamed: Mapping[tuple[str, str], str] = field(default_factory=dict)
    before: str = ""  # the run whose archived roster is the feed's newest
    # of that roster, as in `Table.fed`
    fed_before: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unsent: frozenset[str] = frozenset()  # ids of people in that roster, if not all of it was sent

    @property
    def name(self) -> str:
        """What the drop is called, or what stands in its place."""
        return self.rest.drop_name if self.rest else self.drop.name

    @property
    def layout_name(self) -> str:
        """The code of the layout."""
        return self.layout if isinstance(self.layout, str) else self.layout.code


@dataclass(frozen=True)
class JobGuard(GuardOptions):
    """What may happen without a person."""

    limits: GuardLimits = field(default_factory=GuardLimits)
    raised: GuardLimits | None = None  # limits raised for one run
    raised_name: str = ""  # under which the ledger knows those
    # the feed's policies for what vanished
    removed: Mapping[str, Policy] = field(default_factory=dict)
    # entities whose records others put into the target, and that may be referred to
    external: frozenset[str] = frozenset()
    blackout: date | None = (
        None  # the last day of a time in which nothing is sent, if today is in one
    )
    adds_only: date | None = None  # the same of a time in which only new records are


@dataclass(frozen=True)
class JobLoad(LoadOptions):
    """What is sent, where to, and how fast."""

    target: Target
    scope: Scope
    carrying: Carrying
    runner: str = ""  # what spreads batches over the processes of a cluster, for flows alone
    cluster: str = ""  # the address of that
    scratch: Path | None = (
        None  # the folder of a rehearsal, which sends nothing and leaves its state there
    )
    in_arrears: bool = False  # a run before left something unsent


@dataclass(frozen=True)
class JobRun(RunOptions):
    """Which run this is, whose, and what is left of it."""

    command: Command
    state: Path
    id: str = field(default_factory=new_run)
    today: date = field(default_factory=date.today)
    district: str = "default"
    feed: str = "default"
    # its address, which holds a password; blank: a file
    ledger: str = field(default="", repr=False)
    notify: Addressees | None = None  # who is told of the run
    keep: Keep = field(default_factory=Keep)
    repeat: Repeat = field(default_factory=Repeat)


@dataclass(frozen=True)
class Job:
    """The settings of one run."""

    source: JobSource
    guard: JobGuard
    load: JobLoad
    run: JobRun

    @property
    def key(self) -> FeedKey:
        """Under which the ledger keeps what this feed sent to this target."""
        return FeedKey(self.load.target.name, self.run.feed)

    @property
    def names(self) -> dict[str, object]:
        """What a run is known by, also if it comes to nothing."""
        return {"run": self.run.id, "district": self.run.district, "target": self.load.target.name}

    @property
    def as_written(self) -> Dialect:
        """How the drop is written, and how it is to be read today."""
        dialect = self.source.dialect or Dialect(self.run.today, district=self.run.district)
        return replace(
            dialect,
            today=self.run.today,
            strict=self.source.strict,
            secrets=self.load.scope.passwords,
            renamed=self.source.renamed,
            digests=self.source.digests,
        )

    @property
    def rehearsal(self) -> bool:
        """Whether nothing is sent, and all of it is recorded as sent."""
        return self.load.scratch is not None

    @property
    def home(self) -> Path:
        """Where the run leaves what it leaves."""
        return self.load.scratch or self.run.state

    @property
    def folder(self) -> Path:
        """Where this run writes its report and its rejects."""
        return self.home / "runs" / self.run.id

    @property
    def ledger_at(self) -> Path | str:
        """Where the ledger is: at the address that it was told, or in a file."""
        return self.run.ledger or self.home / FILE

    @property
    def nothing_there(self) -> bool:
        """Whether the target is an embedded sandbox that has never held anything."""
        return self.load.target.url is None and not (self.run.state / "sandbox.db").exists()
