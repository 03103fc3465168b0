"""The tables of a feed file that describe its source: how drops arrive, and how they are read.

`[source]` and its two sub-tables say what the files of a drop do not say. `[pickup]` and
`[arrival]` are about drops that a SIS uploads, `[rest]` about an API that is read instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    ValidationInfo,
    field_validator,
    model_validator,
)

from connectors.oneroster.provider import PAGE_SIZE
from connectors.oneroster.providers import PROVIDERS
from flows.arrival import Arrival
from flows.feeds.credentials import SECRET_PLACES, Secret, read_secret, secret_from_variable
from flows.feeds.tables import CONFIG, CredentialSettings
from flows.feeds.values import (
    BaseAddress,
    Block,
    ClassType,
    ColumnNames,
    DayOfYear,
    Duration,
    File,
    Id,
    Marker,
    Profile,
    Scope,
    Text,
    Variable,
    Words,
    seconds,
    suggestion,
)
from transforms.from_json.drop import ROSTER, collections
from transforms.layouts.options import ReadingOptions
from transforms.layouts.vocabulary import RACES
from transforms.schemas import vocabularies

if TYPE_CHECKING:
    from connectors.fetch import Access

# OneRoster's values for each table of words. Grades are missing here: they may have any value.
ONEROSTER_WORDS: dict[str, tuple[str, ...]] = {
    "roles": vocabularies.ROLES,
    "enrollment_roles": vocabularies.ENROLLMENT_ROLES,
    "sex": vocabularies.SEXES,
    "races": tuple(RACES),
    "org_types": vocabularies.ORG_TYPES,
    "session_types": vocabularies.SESSION_TYPES,
    "states": vocabularies.STATUS,
}
KNOWN_HOSTS = "ROSTER_KNOWN_HOSTS"
# The credentials that each version of OAuth takes.
OAUTH_CREDENTIALS = {
    "2": (["access_token"], ["client_id", "client_secret", "token_url"]),
    "1.0a": (["client_id", "client_secret"],),
}
OAUTH_HINTS = {
    "2": (
        "Name either access_token_env, or all of token_url, client_id_env and client_secret_env "
        "(or _file or _block in place of _env)."
    ),
    "1.0a": (
        "Name client_id_env and client_secret_env (or _file or _block in place of _env), "
        "and nothing else."
    ),
}


class DistrictSettings(BaseModel):
    """`[source.district]`: the org above the schools, for layouts that do not have one."""

    model_config = CONFIG

    name: Text | None = None
    id: Id | None = None


class WordSettings(BaseModel):
    """`[source.words]`: more words of the source, each with the OneRoster value that it means."""

    model_config = CONFIG

    grades: Words = {}
    roles: Words = {}
    enrollment_roles: Words = {}
    sex: Words = {}
    races: Words = {}
    org_types: Words = {}
    session_types: Words = {}
    states: Words = {}

    @field_validator(*ONEROSTER_WORDS)
    @classmethod
    def _check_meanings(cls, words: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        known = ONEROSTER_WORDS[info.field_name or ""]
        for word, meaning in words.items():
            if meaning not in known and not meaning.startswith("ext:"):
                raise ValueError(
                    f"says that {word!r} is {meaning!r}, which OneRoster does not know: "
                    f"{suggestion(meaning, known)}"
                )
        return words


class SourceSettings(BaseModel):
    """`[source]`: what the files of a drop do not say about themselves."""

    model_config = CONFIG

    snapshot: StrictBool | None = None
    prefix: Id | None = None
    date_order: Literal["mdy", "dmy", "ymd"] | None = None
    school_year: Annotated[StrictInt, Field(ge=2000, le=2100)] | None = None
    year_begins: DayOfYear = "07-01"
    class_type: ClassType = "scheduled"
    repair: StrictBool = False
    escape_ids: StrictBool = False
    without: tuple[Text, ...] = ()
    set_apart: tuple[Text, ...] = ()
    salt_env: Variable | None = None
    salt_file: File | None = None
    salt_block: Block | None = None
    district: DistrictSettings = DistrictSettings()
    words: WordSettings = WordSettings()
    columns: ColumnNames = {}

    @property
    def said(self) -> frozenset[str]:
        """The keys that the file sets, such as `words.grades`, without those set to nothing."""
        found = {
            name for name in self.model_fields_set - {"district", "words"} if getattr(self, name)
        }
        for table in ("district", "words"):
            found |= {f"{table}.{name}" for name, value in getattr(self, table) if value}
        return frozenset(found | ({"snapshot"} if self.snapshot is not None else set()))

    @model_validator(mode="after")
    def _check_salt(self) -> SourceSettings:
        hows = [f"salt_{how}" for how in SECRET_PLACES if getattr(self, f"salt_{how}")]
        if len(hows) > 1:
            raise ValueError(f"has {' and '.join(hows)}. Keep one of them.")
        return self

    def salt(self, file: Path, environment: Mapping[str, str]) -> Secret | None:
        """Return the salt of ids that are made from personal data; None if the file names none.

        Raises `SettingsError` if the secret cannot be read.
        """
        return read_secret(self, "salt", f"{file}: `source", file.parent, environment)

    def dialect(self, district: str, today: date, zone: ZoneInfo | None = None) -> ReadingOptions:
        """Return how drops are read. The feed's `district` is the org's name if none is set."""
        month, day = map(int, self.year_begins.split("-"))
        return ReadingOptions(
            today,
            district=self.district.name or district,
            district_id=self.district.id or "",
            prefix=self.prefix or "",
            date_order=self.date_order or "",
            zone=zone,
            snapshot=self.snapshot,
            year_begins=(month, day),
            school_year=self.school_year,
            class_type=self.class_type,
            repair=self.repair,
            escape_ids=self.escape_ids,
            without=self.without,
            set_apart=self.set_apart,
            words=self.words.model_dump(),
            columns=self.columns,
            said=self.said,
        )


class PickupSettings(BaseModel):
    """`[pickup]`: how to sign in to an SFTP server.

    Other stores find their credentials in the environment by themselves.
    """

    model_config = CONFIG

    known_hosts: File | None = None
    key_file: File | None = None
    password_env: Variable | None = None

    def access(self, folder: Path, environment: Mapping[str, str]) -> Access:
        """Return the credentials. The table's files are relative to `folder`.

        Raises `SettingsError` if the variable of the password is not set.
        """
        # Loads the file systems, which takes a while, and most feeds have no address.
        from connectors.fetch import Access

        if self.known_hosts:
            known_hosts = folder / Path(self.known_hosts).expanduser()
        else:
            known_hosts = Path(environment.get(KNOWN_HOSTS) or "~/.ssh/known_hosts")
        variable = self.password_env
        return Access(
            known_hosts=known_hosts,
            key_file=folder / Path(self.key_file).expanduser() if self.key_file else None,
            password=secret_from_variable("`pickup.password_env`", variable, environment).value
            if variable
            else "",
        )


class ArrivalSettings(BaseModel):
    """`[arrival]`: how to recognize that an upload is complete, and how long to wait for it."""

    model_config = CONFIG

    settle: Duration | None = None
    ready: Marker | None = None
    wait: Duration = "1h"
    spread: Duration | None = None

    @model_validator(mode="after")
    def _check_wait(self) -> ArrivalSettings:
        if seconds(self.wait) < 2 * seconds(self.settle):
            raise ValueError(
                f"has `wait` of {self.wait}, which is too short to see files settle "
                f"for {self.settle}. Wait at least twice as long."
            )
        return self

    @property
    def arrival(self) -> Arrival:
        """The same settings, in seconds."""
        return Arrival(
            seconds(self.settle),
            self.ready or "",
            seconds(self.wait),
            seconds(self.spread) or None,
        )


# `BaseModel` is here for ruff, as in `TargetSettings`.
class RestSettings(CredentialSettings, BaseModel):
    """`[rest]`: an API as the source: its address and version, its credentials, what to read.

    A `profile` supplies what is publicly known of a provider and the file leaves out.
    """

    model_config = CONFIG

    url: BaseAddress
    profile: Profile | None = None
    version: Literal["1.1", "1.2"] = "1.2"
    oauth: Literal["2", "1.0a"] = "2"
    signature: Literal["HMAC-SHA1", "HMAC-SHA256"] = "HMAC-SHA256"
    scope: Scope | None = None
    client_auth: Literal["basic", "form"] | None = None
    cookies: StrictBool = True
    page_size: Annotated[StrictInt, Field(ge=1, le=10_000)] = PAGE_SIZE
    concurrency: Annotated[StrictInt, Field(ge=1, le=10)] = 10
    collections: Annotated[list[Text], Field(min_length=1)] = list(ROSTER)
    delta: StrictBool = False
    full_days: Annotated[StrictInt, Field(ge=1, le=31)] = 7
    overlap_hours: Annotated[StrictInt, Field(ge=0, le=168)] = 1
    patience_seconds: Annotated[StrictFloat | StrictInt, Field(ge=0, le=3600)] = 120

    @model_validator(mode="before")
    @classmethod
    def _fill_in_profile(cls, table: Any) -> Any:
        """Add what the profile says about keys that the file leaves out."""
        known = isinstance(table, dict) and isinstance(table.get("profile"), str)
        provider = PROVIDERS.get(table["profile"].strip()) if known else None
        return provider.settings(table) | table if provider else table

    @field_validator("collections")
    @classmethod
    def _check_collections(cls, names: list[str], info: ValidationInfo) -> list[str]:
        known = collections(info.data.get("version", "1.2"))
        for name in names:
            if name not in known:
                raise ValueError(
                    f"names {name!r}, which is no collection of this version: "
                    f"{suggestion(name, known)}"
                )
        return names

    @model_validator(mode="after")
    def _check_profile(self) -> RestSettings:
        provider = PROVIDERS[self.profile] if self.profile else None
        if provider and not provider.version and "version" not in self.model_fields_set:
            raise ValueError(
                f"has no `version`, and no public page says which one {provider.name} has. "
                "Set it to 1.1 or 1.2, as the operator of the API says."
            )
        if provider and (objection := next(provider.objections(self.model_dump()), "")):
            raise ValueError(objection)
        return self

    @model_validator(mode="after")
    def _check_credentials(self) -> RestSettings:
        given = self.given
        if self.oauth == "1.0a" and self.version != "1.1":
            raise ValueError(
                'has `oauth = "1.0a"`, which came to its end with version 1.1. '
                "Leave it out, or say 1.1."
            )
        if self.oauth == "2" and "signature" in self.model_fields_set:
            raise ValueError(
                'has `signature`, which only `oauth = "1.0a"` has a use for. Remove it.'
            )
        if given not in OAUTH_CREDENTIALS[self.oauth]:
            raise ValueError(
                f"names {', '.join(given) or 'no credentials'}. {OAUTH_HINTS[self.oauth]}"
                f"{self._form_of_token_address()}"
            )
        if "token_url" not in given:
            for name in ("scope", "client_auth"):
                if getattr(self, name) is not None:
                    raise ValueError(
                        f"has `{name}`, which only a request for a token has a use for. Remove it."
                    )
        return self

    def _form_of_token_address(self) -> str:
        """Say what the token address looks like, if the profile knows it and cannot fill it in."""
        line = PROVIDERS[self.profile].token_url if self.profile else None
        if line is None or self.token_url:
            return ""
        return f" The token address of {self.profile} has the form {line.value}."
