"""What one run of the straight line needs to know, from wherever it was told."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.ledger import FeedKey
from flows.ledgers import FILE
from flows.notices.addressees import Addressees
from flows.pickup import Pickup
from flows.result import Command, Repeat
from flows.retention import Keep
from flows.salts import Salt
from flows.target import Target
from transforms.carrying import Carrying
from transforms.guard import Limits
from transforms.layouts.dialect import Dialect
from transforms.layouts.digests import Digests
from transforms.layouts.layout import Layout
from transforms.scope import Scope
from transforms.vanishing import Policy

if TYPE_CHECKING:
    from flows.rest_source import RestSource


def new_run() -> str:
    """Name a run after the moment, on the clock of this machine."""
    return f"{datetime.now().astimezone():%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"


@dataclass(frozen=True)
class Job:
    """One run; `rest` is the API that is read in place of a `drop`. `approve` is the plan that a person agreed to. `batch_size` is in records. `patience_seconds` is for
    how long a request is sent again that may yet succeed.

    `external` are the entities whose records others put into the target, and to which this feed's may refer.
    `removed` are the feed's own policies for what vanishes. `raised` are limits raised for one run, known to
    the ledger as `raised_name`. `blackout` and `adds_only` are the last days of such a time, if today is in
    one. `notify` are those who are told of the run. `dated` is the day that the drop is of. `ids` is a file of old and new ids. `by` and `note` are who
    approves, and why. `ledger` is its address, which holds a password; blank: a file. `before` is the run whose
    archived roster is the feed's newest, and `fed_before` says what each entity of it came from (see `Table.fed`); `renamed`
    are ids that the source has given up for others (see `Dialect`), `salt` and `digests` are how ids are made of personal data,
    and `unsent` the ids of people in that roster, if not all of it was sent;
    `in_arrears` is true if a run before left something unsent. `ask_first` holds everything until a person has seen it. `older` lets a drop be put over
    what is newer. `scratch` is the folder of a rehearsal, which sends nothing, and leaves there what it would leave in `state`.
    `repeat` is what commands that are told to people need beside the drop. `layout` is a code, `auto`, or a layout of the district's own; `dialect` is what the feed's file says of how it is
    written. `pickup` says where the drop lies if that is elsewhere, and how its arrival is waited for. `runner` names what spreads batches over the processes of the `cluster` at an address, for flows alone.
    """

    command: Command
    drop: Path
    target: Target
    state: Path
    scope: Scope
    carrying: Carrying
    rest: RestSource | None = None
    ledger: str = field(default="", repr=False)
    district: str = "default"
    feed: str = "default"
    layout: Layout | str = "auto"
    dialect: Dialect | None = None
    encoding: str | None = None
    external: frozenset[str] = frozenset()
    removed: Mapping[str, Policy] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    raised: Limits | None = None
    raised_name: str = ""
    blackout: date | None = None
    adds_only: date | None = None
    dated: date | None = None
    pickup: Pickup = field(default_factory=Pickup)
    max_age_hours: float | None = None
    ids: Path | None = None
    first_run: bool = False
    ask_first: bool = False
    older: bool = False
    scratch: Path | None = None
    before: str = ""
    fed_before: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    renamed: Mapping[tuple[str, str], str] = field(default_factory=dict)
    salt: Salt = field(default_factory=Salt)
    digests: Digests = field(default_factory=Digests)
    unsent: frozenset[str] = frozenset()
    in_arrears: bool = False
    by: str = ""
    note: str = ""
    notify: Addressees | None = None
    plan_days: int = 14
    keep: Keep = field(default_factory=Keep)
    strict: bool = False
    approve: str | None = None
    all_or_nothing: bool = False
    batch_size: int = 1000
    concurrency: int = 10
    workers: int = 1
    runner: str = ""
    cluster: str = ""
    patience_seconds: float = 120.0
    repeat: Repeat = field(default_factory=Repeat)
    today: date = field(default_factory=date.today)
    run: str = field(default_factory=new_run)

    @property
    def key(self) -> FeedKey:
        """Under which the ledger keeps what this feed sent to this target."""
        return FeedKey(self.target.name, self.feed)

    @property
    def names(self) -> dict[str, object]:
        """What a run is known by, also if it comes to nothing."""
        return {"run": self.run, "district": self.district, "target": self.target.name}

    @property
    def drop_name(self) -> str:
        """What the drop is called, or what stands in its place."""
        return self.rest.drop_name if self.rest else self.drop.name

    @property
    def layout_name(self) -> str:
        """The code of the layout."""
        return self.layout if isinstance(self.layout, str) else self.layout.code

    @property
    def as_written(self) -> Dialect:
        """How the drop is written, and how it is to be read today."""
        dialect = self.dialect or Dialect(self.today, district=self.district)
        return replace(
            dialect,
            today=self.today,
            strict=self.strict,
            secrets=self.scope.passwords,
            renamed=self.renamed,
            digests=self.digests,
        )

    @property
    def rehearsal(self) -> bool:
        """Whether nothing is sent, and all of it is recorded as sent."""
        return self.scratch is not None

    @property
    def home(self) -> Path:
        """Where the run leaves what it leaves."""
        return self.scratch or self.state

    @property
    def ledger_at(self) -> Path | str:
        """Where the ledger is: at the address that it was told, or in a file."""
        return self.ledger or self.home / FILE

    @property
    def nothing_there(self) -> bool:
        """Whether the target is an embedded sandbox that has never held anything."""
        return self.target.url is None and not (self.state / "sandbox.db").exists()

    @property
    def folder(self) -> Path:
        """Where this run writes its report and its rejects."""
        return self.home / "runs" / self.run
