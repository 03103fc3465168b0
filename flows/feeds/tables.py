"""The tables of a feed's file that say what may happen without a person: limits, and the calendar."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator as Checked
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

from flows.arrival import DROP, Arrival
from flows.feeds.credentials import HOWS, Secret, in_variable, named, secret_of
from flows.feeds.values import (
    Block,
    Cron,
    Entity,
    File,
    Span,
    Text,
    TokenAddress,
    Variable,
    Words,
    one_of,
)
from flows.options import in_table
from flows.result import NOTICE_KINDS, NoticeKind
from flows.retention import Keep
from flows.target import address
from transforms.from_json.drop import ROSTER, collections
from transforms.guard import GuardLimits
from transforms.layouts.options import Dialect
from transforms.schemas import vocabularies

if TYPE_CHECKING:
    from connectors.fetch import Access

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
        return sha256(
            json.dumps(self.model_dump(mode="json"), sort_keys=True).encode()
        ).hexdigest()[:10]


class LimitSettings(BaseModel):
    """`[limits]`: how much may change before a person is asked, in percent and in records that are always allowed."""

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
        """The limits of every night."""
        return GuardLimits(**self.model_dump(exclude={"once"}))

    def raised(self, today: date) -> GuardLimits | None:
        """The limits of one night, while they may be used."""
        if self.once is None or today > self.once.until:
            return None
        given = self.once.model_dump(exclude={"until"}, exclude_none=True)
        wider = {} if "vanished_percent" in given else self.entities
        return GuardLimits(**self.model_dump(exclude={"once", "entities"}) | given, entities=wider)


Table = TypeVar("Table", bound=BaseModel)
STRICT: dict[type, object] = {int: StrictInt, float: StrictFloat | StrictInt}


def with_options(table: str) -> Callable[[type[Table]], type[Table]]:
    """Add the options of a run that a table of a feed file has: they are declared in `flows/job.py`."""

    def added(model: type[Table]) -> type[Table]:
        keys: dict[str, Any] = {
            key: (Annotated[STRICT[kind], Field(ge=told.least, le=told.most)], default)
            for key, kind, default, told in in_table(table)
        }
        return create_model(
            model.__name__,
            __base__=model,
            __module__=model.__module__,
            __doc__=model.__doc__,
            **keys,
        )

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
            raise ValueError(
                "names no address. Name what holds one in env, files or blocks, or remove the "
                "table."
            )
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
                raise ValueError(
                    f"has {name} days that end before they begin ({backwards[0][0]}). Swap the two."
                )
        return self


KNOWN_HOSTS = "ROSTER_KNOWN_HOSTS"
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _duration(text: str) -> str:
    if not re.fullmatch(r"[1-9]\d{0,3}[smhd]", text):
        raise ValueError(
            f"is {text!r}; expected a number with s, m, h or d, such as 90s, 2m or 6h."
        )
    return text


def _marker(text: str) -> str:
    if "/" in text or "*" in text or "{" in text.replace(DROP, ""):
        raise ValueError(
            f"is {text!r}; expected the name of a file, such as _READY or {DROP}.ready."
        )
    return text


Duration = Annotated[Text, Checked(_duration)]


def _seconds(duration: str | None) -> float:
    return int(duration[:-1]) * SECONDS[duration[-1]] if duration else 0


class PickupSettings(BaseModel):
    """`[pickup]`: what a server over SFTP wants; others find their credentials in the environment by themselves."""

    model_config = CONFIG

    known_hosts: File | None = None
    key_file: File | None = None
    password_env: Variable | None = None

    def access(self, folder: Path, environment: Mapping[str, str]) -> Access:
        """Give what is said, files relative to a folder. Raises `SettingsError` for a variable that is not set."""
        # What reads stores takes a while to import, and most feeds have no address.
        from connectors.fetch import Access

        said = self.password_env
        return Access(
            known_hosts=folder / Path(self.known_hosts).expanduser()
            if self.known_hosts
            else _known_hosts(environment),
            key_file=folder / Path(self.key_file).expanduser() if self.key_file else None,
            password=in_variable("`pickup.password_env`", said, environment).value if said else "",
        )


def _known_hosts(environment: Mapping[str, str]) -> Path:
    return Path(environment.get(KNOWN_HOSTS) or "~/.ssh/known_hosts")


class ArrivalSettings(BaseModel):
    """`[arrival]`: how uploads are waited out."""

    model_config = CONFIG

    settle: Duration | None = None
    ready: Annotated[Text, Checked(_marker)] | None = None
    wait: Duration = "1h"
    spread: Duration | None = None

    @model_validator(mode="after")
    def _long_enough(self) -> ArrivalSettings:
        if _seconds(self.wait) < 2 * _seconds(self.settle):
            raise ValueError(
                f"has `wait` of {self.wait}, which is too short to see files settle for "
                f"{self.settle}. Wait at least twice as long."
            )
        return self

    @property
    def arrival(self) -> Arrival:
        """What is said, in seconds."""
        return Arrival(
            _seconds(self.settle),
            self.ready or "",
            _seconds(self.wait),
            _seconds(self.spread) or None,
        )


# What words of the source may be said to mean; a grade may be any, as the standard has it.
MEANINGS: dict[str, tuple[str, ...]] = {
    "roles": vocabularies.ROLES,
    "enrollment_roles": vocabularies.ENROLLMENT_ROLES,
    "sex": vocabularies.SEXES,
    "org_types": vocabularies.ORG_TYPES,
    "session_types": vocabularies.SESSION_TYPES,
    "states": vocabularies.STATUS,
}


def _id(text: str) -> str:
    if not re.fullmatch(r"[0-9A-Za-z.\-_/@]{1,100}", text):
        raise ValueError(f"is {text!r}; ids have letters, digits and . - _ / @ alone.")
    return text


def _day_of_year(text: str) -> str:
    try:
        date.fromisoformat(f"2001-{text}")
    except ValueError:
        raise ValueError(f'is {text!r}; expected a month and a day, such as "07-01".') from None
    return text


def _class_type(text: str) -> str:
    if text not in vocabularies.CLASS_TYPES and not text.startswith("ext:"):
        raise ValueError(f"is {text!r}: {one_of(text, vocabularies.CLASS_TYPES)}")
    return text


Id = Annotated[Text, Checked(_id)]


class DistrictSettings(BaseModel):
    """`[source.district]`: the organisation above the schools, where the layout has none."""

    model_config = CONFIG

    name: Text | None = None
    id: Id | None = None


class WordSettings(BaseModel):
    """`[source.words]`: further words of the source, and which of OneRoster's each of them means."""

    model_config = CONFIG

    grades: Words = {}
    roles: Words = {}
    enrollment_roles: Words = {}
    sex: Words = {}
    races: Words = {}
    org_types: Words = {}
    session_types: Words = {}
    states: Words = {}

    @field_validator(*MEANINGS, "races")
    @classmethod
    def _meant(cls, words: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        known: Iterable[str] = MEANINGS.get(info.field_name or "") or _races()
        for word, meaning in words.items():
            if meaning not in known and not meaning.startswith("ext:"):
                raise ValueError(
                    f"says that {word!r} is {meaning!r}, which OneRoster does not know: "
                    f"{one_of(meaning, known)}"
                )
        return words


def _races() -> tuple[str, ...]:
    from transforms.layouts.vocabulary import RACES

    return tuple(RACES)


class SourceSettings(BaseModel):
    """`[source]`: what the files do not say of themselves."""

    model_config = CONFIG

    snapshot: StrictBool | None = None
    prefix: Id | None = None
    date_order: Literal["mdy", "dmy", "ymd"] | None = None
    school_year: Annotated[StrictInt, Field(ge=2000, le=2100)] | None = None
    year_begins: Annotated[Text, Checked(_day_of_year)] = "07-01"
    class_type: Annotated[Text, Checked(_class_type)] = "scheduled"
    repair: StrictBool = False
    without: tuple[Text, ...] = ()
    salt_env: Variable | None = None
    salt_file: File | None = None
    salt_block: Block | None = None
    district: DistrictSettings = DistrictSettings()
    words: WordSettings = WordSettings()

    @property
    def said(self) -> frozenset[str]:
        """Name what the file sets, such as `words.grades`; what is set to nothing is not."""
        found = {
            name for name in self.model_fields_set - {"district", "words"} if getattr(self, name)
        }
        for table in ("district", "words"):
            found |= {f"{table}.{name}" for name, value in getattr(self, table) if value}
        return frozenset(found | ({"snapshot"} if self.snapshot is not None else set()))

    @model_validator(mode="after")
    def _one_salt(self) -> SourceSettings:
        hows = [f"salt_{how}" for how in HOWS if getattr(self, f"salt_{how}")]
        if len(hows) > 1:
            raise ValueError(f"has {' and '.join(hows)}. Leave one of them.")
        return self

    def salt(self, file: Path, environment: Mapping[str, str]) -> Secret | None:
        """What is mixed into ids that are made of personal data, if the feed's file names a secret. Raises `SettingsError`."""
        return secret_of(self, "salt", f"{file}: `source", file.parent, environment)

    def dialect(self, district: str, today: date) -> Dialect:
        """How drops are to be read; the district has the feed's name, unless the file gives it another."""
        month, day = map(int, self.year_begins.split("-"))
        return Dialect(
            today,
            district=self.district.name or district,
            district_id=self.district.id or "",
            prefix=self.prefix or "",
            date_order=self.date_order or "",
            snapshot=self.snapshot,
            year_begins=(month, day),
            school_year=self.school_year,
            class_type=self.class_type,
            repair=self.repair,
            without=self.without,
            words=self.words.model_dump(),
            said=self.said,
        )


PREFIX = "/ims/oneroster"
# What each way of signing in wants, and nothing else.
WANTED = {
    "2": (["access_token"], ["client_id", "client_secret", "token_url"]),
    "1.0a": (["client_id", "client_secret"],),
}
SAID = {
    "2": (
        "Name either access_token_env, or all of token_url, client_id_env and client_secret_env "
        "(or _file or _block in place of _env)."
    ),
    "1.0a": (
        "Name client_id_env and client_secret_env (or _file or _block in place of _env), and "
        "nothing else."
    ),
}


def _base(text: str) -> str:
    """Normalise an address; the rest of it is the standard's."""
    url = address(text)
    if PREFIX in url:
        raise ValueError(
            f"goes too far: give what stands before {PREFIX}, which is the same everywhere."
        )
    return url


class CredentialSettings(BaseModel):
    """The names of what holds a token, or a client's id and secret; never the credentials themselves."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

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
        """What is named, in order. Raises `ValueError` for a secret that is named twice."""
        return [*named(self), *(("token_url",) if self.token_url else ())]


class RestSettings(
    CredentialSettings, BaseModel
):  # the second for the linter, which else takes defaults for shared
    """`[rest]`: its address and version, the names of what holds its credentials, and what is read."""

    model_config = CONFIG

    url: Annotated[Text, Checked(_base)]
    version: Literal["1.1", "1.2"] = "1.2"
    oauth: Literal["2", "1.0a"] = "2"
    signature: Literal["HMAC-SHA1", "HMAC-SHA256"] = "HMAC-SHA256"
    collections: Annotated[list[Text], Field(min_length=1)] = list(ROSTER)
    delta: StrictBool = False
    full_days: Annotated[StrictInt, Field(ge=1, le=31)] = 7
    overlap_hours: Annotated[StrictInt, Field(ge=0, le=168)] = 1
    patience_seconds: Annotated[StrictFloat | StrictInt, Field(ge=0, le=3600)] = 120

    @field_validator("collections")
    @classmethod
    def _known(cls, names: list[str], info: ValidationInfo) -> list[str]:
        known = collections(info.data.get("version", "1.2"))
        for name in names:
            if name not in known:
                raise ValueError(
                    f"names {name!r}, which is no collection of this version: {one_of(name, known)}"
                )
        return names

    @model_validator(mode="after")
    def _credentials(self) -> RestSettings:
        given = self.given
        if self.oauth == "1.0a" and self.version != "1.1":
            raise ValueError(
                'has `oauth = "1.0a"`, which came to its end with version 1.1. Leave it out, '
                "or say 1.1."
            )
        if self.oauth == "2" and "signature" in self.model_fields_set:
            raise ValueError(
                'has `signature`, which only `oauth = "1.0a"` has a use for. Remove it.'
            )
        if given not in WANTED[self.oauth]:
            raise ValueError(f"names {', '.join(given) or 'no credentials'}. {SAID[self.oauth]}")
        return self
