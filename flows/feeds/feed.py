"""A feed's file: where its drops come from, where they go, and what of them may be shared.

TOML, read by pydantic.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    StrictBool,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from flows.arrival import Pickup
from flows.dates import DATED, dated
from flows.errors import SettingsError
from flows.feeds.tables import (
    ArrivalSettings,
    CalendarSettings,
    CredentialSettings,
    DistrictSettings,
    KeepSettings,
    LimitSettings,
    NotifySettings,
    OnceSettings,
    PickupSettings,
    RestSettings,
    RunSettings,
    ScheduleSettings,
    SourceSettings,
    WordSettings,
    with_options,
)
from flows.feeds.values import (
    Address,
    Age,
    Api,
    Columns,
    DatePattern,
    Encoding,
    Entities,
    Layout,
    Name,
    Removals,
    Some,
    SomeRoles,
    Template,
    Text,
    TimeZone,
    Words,
    hours,
    one_of,
    sentences,
)
from flows.files import closed
from flows.target import APIS, DEFAULT_API, ENVIRONMENT, SANDBOX
from transforms.share import Scope
from transforms.target_vocabulary import MAPS, Carrying, carrying

CONFIG = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
NO_LIMIT: frozenset[str] = frozenset()


@with_options("target")
class TargetSettings(
    CredentialSettings, BaseModel
):  # the second for the linter, which else takes defaults for shared
    """`[target]`: its address, the names of what holds its credentials, and what it can carry."""

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
    def _targets_words(cls, words: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        # Of an API that is not known, its own line is what is wrong.
        api = info.data.get("api")
        known = APIS[api].vocabulary.words.get(info.field_name or "", ()) if api else words.values()
        for key, word in words.items():
            if word not in known:
                raise ValueError(
                    f"gives {word!r} for {key!r}, which the target does not know: "
                    f"{one_of(word, known)}"
                )
        return words

    @model_validator(mode="after")
    def _credentials(self) -> TargetSettings:
        given = self.given
        if self.url in (SANDBOX, ENVIRONMENT):
            if given:
                raise ValueError(
                    f'names credentials ({", ".join(given)}), which `url = "{self.url}"` has '
                    "no use for. Remove them."
                )
        elif given not in (["access_token"], ["client_id", "client_secret", "token_url"]):
            raise ValueError(
                f"names {', '.join(given) or 'no credentials'}. Name either access_token_env, or "
                "all of token_url, client_id_env "
                "and client_secret_env (or _file or _block in place of _env)."
            )
        return self


class ShareSettings(BaseModel):
    """`[share]`: what may be shared; what is not named is no limit."""

    model_config = CONFIG

    schools: Some = NO_LIMIT
    grades: Some = NO_LIMIT
    roles: SomeRoles = NO_LIMIT
    exclude: frozenset[Text] = NO_LIMIT
    leave_out: Columns = {}
    demographics: StrictBool | None = None
    contacts: StrictBool | None = None
    passwords: StrictBool = False


@with_options("")
class Feed(BaseModel):
    """One feed's file; `path` is the file itself."""

    model_config = CONFIG

    district: Name = "default"
    rest: RestSettings | None = None
    drop: Annotated[Text | None, Field(validate_default=True)] = None
    layout: Layout = "auto"
    encoding: Encoding | None = None
    time_zone: TimeZone = "UTC"
    external: Entities = NO_LIMIT
    removed: Removals = {}
    ids: Text | None = None
    drop_date: date | None = None
    drop_date_pattern: DatePattern | None = None
    max_age: Age | None = None
    limits: LimitSettings = LimitSettings()
    calendar: CalendarSettings = CalendarSettings()
    keep: KeepSettings = KeepSettings()
    run: RunSettings = RunSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    notify: NotifySettings | None = None
    target: TargetSettings
    share: ShareSettings = ShareSettings()
    source: SourceSettings = SourceSettings()
    pickup: PickupSettings = PickupSettings()
    arrival: ArrivalSettings = ArrivalSettings()
    _path: Path = PrivateAttr()

    @field_validator("drop")
    @classmethod
    def _one_origin(cls, drop: str | None, info: ValidationInfo) -> str | None:
        rest = info.data.get("rest")
        if drop and rest:
            raise ValueError(
                "stands beside [rest], from which rosters are read instead. Remove one of them."
            )
        if drop is None and rest is None and "rest" in info.data:
            raise PydanticCustomError("missing", "Field required")
        return drop

    @field_validator("layout")
    @classmethod
    def _of_files(cls, layout: str, info: ValidationInfo) -> str:
        if info.data.get("rest") and layout not in ("auto", "oneroster"):
            raise ValueError(
                f"is {layout!r}, and what [rest] reads is always OneRoster. Remove the line."
            )
        return layout

    @field_validator("source")
    @classmethod
    def _used(cls, source: SourceSettings, info: ValidationInfo) -> SourceSettings:
        """Refuse what does nothing in the layout that is named; in one that is recognised, the drop is refused."""
        layout = "oneroster" if info.data.get("rest") else info.data.get("layout", "auto")
        if info.data.get("rest") and source.snapshot is not None:
            raise ValueError(
                "has `snapshot`, and what [rest] reads says itself what is all there is. Remove it."
            )
        if source.said and layout != "auto" and not layout.endswith(".toml"):
            from transforms.sources import idle_settings

            for sentence in idle_settings(layout, source.dialect("", date.min)):
                raise ValueError(f"has {sentence}.")
        return source

    def model_post_init(self, context: Path) -> None:
        """Keep the file's own path, which is not one of its settings."""
        self._path = context

    @property
    def path(self) -> Path:
        """The feed's file."""
        return self._path

    @property
    def mapping_path(self) -> Path | None:
        """The file that describes the district's own layout, relative to this file."""
        return self.path.parent / self.layout if self.layout.endswith(".toml") else None

    @property
    def drop_path(self) -> Path:
        """The drop, which the file names relative to itself; the file itself where it names a REST source instead."""
        if self.address:
            return Path(self.address.rpartition("/")[2])
        return self.path.parent / self.drop if self.drop else self.path

    @property
    def address(self) -> str:
        """Where the drop lies, if that is elsewhere."""
        return self.drop.rstrip("/") if self.drop and "://" in self.drop else ""

    def picked_up(self, environment: Mapping[str, str]) -> Pickup:
        """Say where drops arrive. Raises `SettingsError` for a variable that is not set."""
        access = self.pickup.access(self.path.parent, environment) if self.address else None
        return Pickup(self.address, access, self.arrival.arrival, self.days)

    @property
    def days(self) -> re.Pattern[str]:
        """How names of drops say their day."""
        return re.compile(self.drop_date_pattern) if self.drop_date_pattern else DATED

    @property
    def dated(self) -> date | None:
        """The day that the drop is of, if the file or the drop's name says it."""
        return self.drop_date or (dated(self.drop_path.name, self.days) if self.drop else None)

    @property
    def max_age_hours(self) -> float | None:
        """How old a drop may be."""
        return hours(self.max_age) if self.max_age else None

    @property
    def ids_path(self) -> Path | None:
        """The file that says which ids are new names of old ones, relative to this file."""
        return self.path.parent / self.ids if self.ids else None

    def key_name(self, district: str | None = None) -> str:
        """The feed's name in the ledger: its district, and its file's name if that is another."""
        district = district or self.district
        return district if self.path.stem == district else f"{district}/{self.path.stem}"

    def scope(self, on_this_machine: bool) -> Scope:
        """What may be shared; demographics and contacts leave this machine only if the file says so."""
        said = self.share
        return Scope(
            said.schools,
            said.grades,
            said.roles,
            said.exclude,
            said.leave_out,
            on_this_machine if said.demographics is None else said.demographics,
            on_this_machine if said.contacts is None else said.contacts,
            said.passwords,
        )

    @property
    def carrying(self) -> Carrying:
        """How values become the target's: its maps, with the file's own laid over them."""
        maps = {name: getattr(self.target, name) for name in MAPS}
        return carrying(
            APIS[self.target.api].vocabulary,
            maps,
            email_template=self.target.email_template,
            session_org=self.target.session_org,
            zone=ZoneInfo(self.time_zone),
        )


TABLES: dict[str, type[BaseModel]] = {
    "": Feed,
    "rest": RestSettings,
    "source": SourceSettings,
    "pickup": PickupSettings,
    "arrival": ArrivalSettings,
    "source.district": DistrictSettings,
    "source.words": WordSettings,
    "target": TargetSettings,
    "share": ShareSettings,
    "limits": LimitSettings,
    "limits.once": OnceSettings,
    "calendar": CalendarSettings,
    "keep": KeepSettings,
    "run": RunSettings,
    "schedule": ScheduleSettings,
    "notify": NotifySettings,
}


def read_feed(path: Path) -> Feed:
    """Read a feed's file; raise `SettingsError` with one sentence for each thing that is wrong in it."""
    try:
        data = tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise SettingsError(
            f"{path}: cannot be read ({error.strerror}). Name a feed's file that is there."
        ) from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path}: is not text in UTF-8. Save it as UTF-8.") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SettingsError(f"{path}: is not TOML: {error}. Correct that line.") from None
    try:
        return Feed.model_validate(data, context=path)
    except ValidationError as error:
        # Not chained: pydantic's own error holds the values.
        raise SettingsError(*sentences(path, error, TABLES)) from None


FEEDS, STATE = "ROSTER_FEEDS", "ROSTER_STATE"
# The feeds that come with the program may be run by their paths, too.
SAMPLES = Path(__file__).parents[2] / "sample_data"


def feed_file(district: str, environment: Mapping[str, str]) -> Path:
    """Find NAME.toml in the folder of feeds ($ROSTER_FEEDS), also by its path. Raises `SettingsError` for all else.

    Whoever may start a flow names a feed, and cannot have another file, a drop, or what a link leads to read.
    """
    folder = _folder(environment)
    for path in (
        (Path(district), folder / district, folder / f"{district}.toml") if district else ()
    ):
        if path.suffix == ".toml" and _lies_in(path, folder) and path.is_file():
            return path
    there = sorted(file.stem for file in folder.glob("*.toml"))
    close = get_close_matches(district, there, 1)
    meant = (
        f" Did you mean {close[0]!r}?"
        if close
        else f" There are: {', '.join(there)}."
        if there
        else ""
    )
    raise SettingsError(
        f"District {district!r} is no feed's file in {folder}.{meant} Name one by its name "
        f"without .toml; ${FEEDS} of the "
        "worker says where the feeds' files are. Other files and bare drops are for the command "
        "line."
    )


def feeds_folder(feeds: str, environment: Mapping[str, str]) -> Path:
    """Give a folder of feeds that lies in the folder of feeds ($ROSTER_FEEDS), or is that one (blank). Raises `SettingsError`."""
    folder = _folder(environment)
    path = Path(feeds) if feeds else folder
    if _lies_in(path, folder):
        return path
    raise SettingsError(
        f"{feeds!r} does not lie in {folder}. ${FEEDS} of the worker says where the feeds' "
        "files are."
    )


def state_folder(state: str, environment: Mapping[str, str]) -> Path:
    """The state folder that is meant; blank means $ROSTER_STATE, or `.roster`. Raises `SettingsError`."""
    return closed(Path(state or environment.get(STATE) or ".roster"))


def _folder(environment: Mapping[str, str]) -> Path:
    return Path(environment.get(FEEDS) or "feeds")


def _lies_in(path: Path, folder: Path) -> bool:
    """Whether a path, with all links followed, is below a folder of feeds."""
    try:
        real = path.resolve(strict=True)
    except (OSError, ValueError, RuntimeError):  # not there, no path at all, or links in a circle
        return False
    return any(real.is_relative_to(one.resolve()) for one in (folder, SAMPLES))
