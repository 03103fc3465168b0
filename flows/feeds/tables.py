"""The tables of a feed's file that say what may happen without a person: limits, and the calendar."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from hashlib import sha256
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, create_model, model_validator

from flows.feeds.values import Block, Cron, Entity, File, Span, Text, Variable
from flows.options import in_table
from flows.result import NOTICE_KINDS, NoticeKind
from flows.retention import Keep
from transforms.guard import Limits

CONFIG = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

Percent = Annotated[float, Field(strict=True, ge=0, le=100)]
Records = Annotated[StrictInt, Field(ge=0)]
Days = Annotated[StrictInt, Field(ge=1, le=3650)]


class OnceSettings(BaseModel):
    """`[limits.once]`: limits raised for one run, up to and with a day."""

    model_config = CONFIG

    until: date
    vanished_percent: Percent | None = None
    vanished_records: Records | None = None
    week_percent: Percent | None = None
    week_records: Records | None = None
    school_percent: Percent | None = None
    school_records: Records | None = None
    class_percent: Percent | None = None
    class_records: Records | None = None
    identity_percent: Percent | None = None
    identity_records: Records | None = None
    moved_percent: Percent | None = None
    moved_records: Records | None = None
    person_records: Records | None = None
    created_percent: Percent | None = None
    created_records: Records | None = None
    updated_percent: Percent | None = None
    updated_records: Records | None = None
    rejected_percent: Percent | None = None

    @property
    def name(self) -> str:
        """Under which the ledger remembers that this was used: other numbers or another day are another one."""
        return sha256(json.dumps(self.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()[:10]


class LimitSettings(BaseModel):
    """`[limits]`: how much may change before a person is asked, in percent and in records that are always allowed."""

    model_config = CONFIG

    vanished_percent: Percent = Limits.vanished_percent
    vanished_records: Records = Limits.vanished_records
    week_percent: Percent = Limits.week_percent
    week_records: Records = Limits.week_records
    school_percent: Percent = Limits.school_percent
    school_records: Records = Limits.school_records
    class_percent: Percent = Limits.class_percent
    class_records: Records = Limits.class_records
    identity_percent: Percent = Limits.identity_percent
    identity_records: Records = Limits.identity_records
    moved_percent: Percent = Limits.moved_percent
    moved_records: Records = Limits.moved_records
    person_records: Records = Limits.person_records
    created_percent: Percent = Limits.created_percent
    created_records: Records = Limits.created_records
    updated_percent: Percent = Limits.updated_percent
    updated_records: Records = Limits.updated_records
    rejected_percent: Percent = Limits.rejected_percent
    entities: dict[Entity, Percent] = {}
    once: OnceSettings | None = None

    @property
    def limits(self) -> Limits:
        """The limits of every night."""
        return Limits(**self.model_dump(exclude={"once"}))

    def raised(self, today: date) -> Limits | None:
        """The limits of one night, while they may be used."""
        if self.once is None or today > self.once.until:
            return None
        given = self.once.model_dump(exclude={"until"}, exclude_none=True)
        wider = {} if "vanished_percent" in given else self.entities
        return Limits(**self.model_dump(exclude={"once", "entities"}) | given, entities=wider)


Table = TypeVar("Table", bound=BaseModel)
STRICT: dict[type, object] = {int: StrictInt, float: StrictFloat | StrictInt}


def with_options(table: str) -> Callable[[type[Table]], type[Table]]:
    """Add the options of a run that a table of a feed file has: they are declared in `flows/job.py`."""

    def added(model: type[Table]) -> type[Table]:
        keys: dict[str, Any] = {
            key: (Annotated[STRICT[kind], Field(ge=told.least, le=told.most)], default)
            for key, kind, default, told in in_table(table)
        }
        return create_model(model.__name__, __base__=model, __module__=model.__module__, __doc__=model.__doc__, **keys)

    return added


@with_options("run")
class RunSettings(BaseModel):
    """`[run]`: how many processes send, and by which cluster if not on this machine."""

    model_config = CONFIG

    runner: Literal["", "dask", "ray"] = ""
    cluster: Text = ""

    @model_validator(mode="after")
    def _of_a_cluster(self) -> RunSettings:
        if self.runner and not self.cluster:
            raise ValueError(
                f'has `runner = "{self.runner}"` and no `cluster`. Name the address of one, '
                "or leave `runner` out: then `processes` send from this machine."
            )
        return self


class KeepSettings(BaseModel):
    """`[keep]`: how many rosters are kept, and for how many days what else runs leave behind."""

    model_config = CONFIG

    rosters: Annotated[StrictInt, Field(ge=1, le=10_000)] = Keep.rosters
    run_days: Days = Keep.run_days
    closed_plan_days: Days = Keep.closed_plan_days

    @property
    def keep(self) -> Keep:
        """What the end of a sync is told."""
        return Keep(**self.model_dump())


class ScheduleSettings(BaseModel):
    """`[schedule]`: when the feed is due, in five fields of cron and by the clocks of its time zone; and which work pool runs it."""

    model_config = CONFIG

    cron: Cron | None = None
    pool: Text = ""
    paused: StrictBool = False


class NotifySettings(BaseModel):
    """`[notify]`: what holds the addresses of those who are told, and of what they are told."""

    model_config = CONFIG

    env: frozenset[Variable] = frozenset()
    files: frozenset[File] = frozenset()
    blocks: frozenset[Block] = frozenset()
    on: Annotated[frozenset[NoticeKind], Field(min_length=1)] = frozenset(NOTICE_KINDS)

    @model_validator(mode="after")
    def _somewhere(self) -> NotifySettings:
        if not (self.env or self.files or self.blocks):
            raise ValueError("names no address. Name what holds one in env, files or blocks, or remove the table.")
        return self


class CalendarSettings(BaseModel):
    """`[calendar]`: days on which nothing is sent, and days on which only new records are."""

    model_config = CONFIG

    blackout: list[Span] = []
    adds_only: list[Span] = []

    @model_validator(mode="after")
    def _in_order(self) -> CalendarSettings:
        for name in ("blackout", "adds_only"):
            if backwards := [span for span in getattr(self, name) if span[0] > span[1]]:
                raise ValueError(f"has {name} days that end before they begin ({backwards[0][0]}). Swap the two.")
        return self
