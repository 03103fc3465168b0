"""The tables of a feed file, except those of its source (`flows/feeds/source.py`).

Each class is one table, and each of its fields one key. `docs/feed_file.md` explains the keys, and
`flows/feeds/values.py` checks single values.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from hashlib import sha256
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    ValidationInfo,
    create_model,
    field_validator,
    model_validator,
)

from flows.feeds.credentials import named_secrets
from flows.feeds.values import (
    Address,
    Api,
    Block,
    Columns,
    Cron,
    Entity,
    File,
    RoleSet,
    Span,
    Template,
    Text,
    TextSet,
    TokenAddress,
    Variable,
    Words,
    suggestion,
)
from flows.options import options_in_table
from flows.result import NOTICE_KINDS, NoticeKind
from flows.retention import Retention
from flows.target import APIS, DEFAULT_API, ENVIRONMENT, SANDBOX
from transforms.guard import GuardLimits
from transforms.target_vocabulary import MAPS

CONFIG = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
NO_LIMIT: frozenset[str] = frozenset()

Percent = Annotated[float, Field(strict=True, ge=0, le=100)]
Records = Annotated[StrictInt, Field(ge=0)]
Days = Annotated[StrictInt, Field(ge=1, le=3650)]

Table = TypeVar("Table", bound=BaseModel)
STRICT: dict[type, object] = {int: StrictInt, float: StrictFloat | StrictInt}


def with_options(table: str) -> Callable[[type[Table]], type[Table]]:
    """Add the options of a run that a table may set. They are declared in `flows/options.py`."""

    def add_options(model: type[Table]) -> type[Table]:
        keys: dict[str, Any] = {
            key: (Annotated[STRICT[kind], Field(ge=option.least, le=option.most)], default)
            for key, kind, default, option in options_in_table(table)
        }
        return create_model(
            model.__name__,
            __base__=model,
            __module__=model.__module__,
            __doc__=model.__doc__,
            **keys,
        )

    return add_options


class CredentialSettings(BaseModel):
    """The names of what holds a token, or a client's id and secret; never the credentials."""

    model_config = CONFIG

    token_url: TokenAddress | None = None
    client_id_env: Variable | None = None
    client_id_file: File | None = None
    client_id_block: Block | None = None
    client_secret_env: Variable | None = None
    client_secret_file: File | None = None
    client_secret_block: Block | None = None
    access_token_env: Variable | None = None
    access_token_file: File | None = None
    access_token_block: Block | None = None

    @property
    def given(self) -> list[str]:
        """The credentials that the table names, sorted; `token_url` is the last.

        Raises `ValueError` if the table names one of them twice.
        """
        return [*named_secrets(self), *(("token_url",) if self.token_url else ())]


# Both tables with credentials list `BaseModel` as a base, although `CredentialSettings` is one:
# ruff knows only from it that pydantic copies mutable defaults.
@with_options("target")
class TargetSettings(CredentialSettings, BaseModel):
    """`[target]`: the API's address, its credentials, and how values map to its vocabulary."""

    model_config = CONFIG

    url: Address
    api: Api = DEFAULT_API
    email_template: Template | None = None
    session_org: Text | None = None
    staging: StrictBool = False
    grades: Words = {}
    subjects: Words = {}
    roles: Words = {}
    enrollment_roles: Words = {}
    org_types: Words = {}
    session_types: Words = {}
    class_types: Words = {}
    sex: Words = {}
    resource_roles: Words = {}
    score_statuses: Words = {}

    @field_validator(*MAPS)
    @classmethod
    def _check_words(cls, words: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        # If the API is unknown, only its own line is reported.
        api = info.data.get("api")
        known = APIS[api].vocabulary.words.get(info.field_name or "", ()) if api else words.values()
        for key, word in words.items():
            if word not in known:
                raise ValueError(
                    f"gives {word!r} for {key!r}, which the target does not know: "
                    f"{suggestion(word, known)}"
                )
        return words

    @model_validator(mode="after")
    def _check_credentials(self) -> TargetSettings:
        given = self.given
        if self.url in (SANDBOX, ENVIRONMENT):
            if given:
                raise ValueError(
                    f"names credentials ({', '.join(given)}), "
                    f'which `url = "{self.url}"` has no use for. Remove them.'
                )
        elif given not in (["access_token"], ["client_id", "client_secret", "token_url"]):
            raise ValueError(
                f"names {', '.join(given) or 'no credentials'}. "
                "Name either access_token_env, or all of token_url, client_id_env "
                "and client_secret_env (or _file or _block in place of _env)."
            )
        return self


class ShareSettings(BaseModel):
    """`[share]`: what may be shared. A key that is left out sets no limit."""

    model_config = CONFIG

    schools: TextSet = NO_LIMIT
    grades: TextSet = NO_LIMIT
    roles: RoleSet = NO_LIMIT
    exclude: frozenset[Text] = NO_LIMIT
    leave_out: Columns = {}
    demographics: StrictBool | None = None
    contacts: StrictBool | None = None
    passwords: StrictBool = False


class SharedSettings(BaseModel):
    """`[shared]`: which feed's values win in records that other feeds of the target have too."""

    model_config = CONFIG

    owner: Text | tuple[Text, ...] = ()

    @property
    def owners(self) -> tuple[str, ...]:
        """The feeds that the table names, the first one first."""
        return (self.owner,) if isinstance(self.owner, str) else self.owner


class OnceSettings(BaseModel):
    """`[limits.once]`: limits raised for one run, up to and including the day `until`."""

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
        """The name under which the ledger marks this table as used: a hash of all its values."""
        return sha256(
            json.dumps(self.model_dump(mode="json"), sort_keys=True).encode()
        ).hexdigest()[:10]


class LimitSettings(BaseModel):
    """`[limits]`: how much may change before the guard holds it for a person.

    A limit is exceeded if a change is above its percentage and above its number of records.
    """

    model_config = CONFIG

    vanished_percent: Percent = GuardLimits.vanished_percent
    vanished_records: Records = GuardLimits.vanished_records
    week_percent: Percent = GuardLimits.week_percent
    week_records: Records = GuardLimits.week_records
    school_percent: Percent = GuardLimits.school_percent
    school_records: Records = GuardLimits.school_records
    class_percent: Percent = GuardLimits.class_percent
    class_records: Records = GuardLimits.class_records
    identity_percent: Percent = GuardLimits.identity_percent
    identity_records: Records = GuardLimits.identity_records
    moved_percent: Percent = GuardLimits.moved_percent
    moved_records: Records = GuardLimits.moved_records
    person_records: Records = GuardLimits.person_records
    created_percent: Percent = GuardLimits.created_percent
    created_records: Records = GuardLimits.created_records
    updated_percent: Percent = GuardLimits.updated_percent
    updated_records: Records = GuardLimits.updated_records
    rejected_percent: Percent = GuardLimits.rejected_percent
    entities: dict[Entity, Percent] = {}
    once: OnceSettings | None = None

    @property
    def limits(self) -> GuardLimits:
        """The limits of an ordinary run."""
        return GuardLimits(**self.model_dump(exclude={"once"}))

    def raised(self, today: date) -> GuardLimits | None:
        """Return the raised limits; None if there are none, or their last day is over."""
        if self.once is None or today > self.once.until:
            return None
        given = self.once.model_dump(exclude={"until"}, exclude_none=True)
        wider = {} if "vanished_percent" in given else self.entities
        return GuardLimits(**self.model_dump(exclude={"once", "entities"}) | given, entities=wider)


class CalendarSettings(BaseModel):
    """`[calendar]`: days on which nothing is sent, and days on which only new records are sent."""

    model_config = CONFIG

    blackout: list[Span] = []
    adds_only: list[Span] = []

    @model_validator(mode="after")
    def _check_order(self) -> CalendarSettings:
        for name in ("blackout", "adds_only"):
            if backwards := [span for span in getattr(self, name) if span[0] > span[1]]:
                raise ValueError(
                    f"has {name} days that end before they begin ({backwards[0][0]}). Swap the two."
                )
        return self


class KeepSettings(BaseModel):
    """`[keep]`: retention of rosters, runs and closed plans."""

    model_config = CONFIG

    rosters: Annotated[StrictInt, Field(ge=1, le=10_000)] = Retention.rosters
    run_days: Days = Retention.run_days
    closed_plan_days: Days = Retention.closed_plan_days

    @property
    def keep(self) -> Retention:
        """The same values, as the end of a sync takes them."""
        return Retention(**self.model_dump())


@with_options("run")
class RunSettings(BaseModel):
    """`[run]`: how many processes send, and from which cluster if not from this machine."""

    model_config = CONFIG

    runner: Literal["", "dask", "ray"] = ""
    cluster: Text = ""

    @model_validator(mode="after")
    def _check_cluster(self) -> RunSettings:
        if self.runner and not self.cluster:
            raise ValueError(
                f'has `runner = "{self.runner}"` and no `cluster`. Name the address of one, '
                "or leave `runner` out: then `processes` send from this machine."
            )
        return self


class ScheduleSettings(BaseModel):
    """`[schedule]`: when the feed is due, in its own time zone, and which work pool runs it."""

    model_config = CONFIG

    cron: Cron | None = None
    pool: Text = ""
    paused: StrictBool = False


class NotifySettings(BaseModel):
    """`[notify]`: the names of what holds the recipients' addresses, and what they are sent."""

    model_config = CONFIG

    env: frozenset[Variable] = frozenset()
    files: frozenset[File] = frozenset()
    blocks: frozenset[Block] = frozenset()
    on: Annotated[frozenset[NoticeKind], Field(min_length=1)] = frozenset(NOTICE_KINDS)

    @model_validator(mode="after")
    def _check_addresses(self) -> NotifySettings:
        if not (self.env or self.files or self.blocks):
            raise ValueError(
                "names no address. "
                "Name what holds one in env, files or blocks, or remove the table."
            )
        return self
