"""A feed file (TOML): its settings as a value, and how the file is found and read."""

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
    Field,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from flows.arrival import DropLocation
from flows.dates import DATE_IN_NAME, day_in_name
from flows.errors import SettingsError
from flows.feeds.needs import unmet_needs
from flows.feeds.source import (
    ArrivalSettings,
    DistrictSettings,
    PickupSettings,
    RestSettings,
    SourceSettings,
    WordSettings,
)
from flows.feeds.tables import (
    CONFIG,
    NO_LIMIT,
    CalendarSettings,
    KeepSettings,
    LimitSettings,
    NotifySettings,
    OnceSettings,
    RunSettings,
    ScheduleSettings,
    SharedSettings,
    ShareSettings,
    TargetSettings,
    with_options,
)
from flows.feeds.values import (
    Age,
    DatePattern,
    Encoding,
    Entities,
    Layout,
    Name,
    Removals,
    Text,
    TimeZone,
    hours,
    problem_sentences,
)
from flows.files import protect_state_folder
from flows.target import APIS
from flows.time_zones import time_zone
from transforms.share import SharingScope
from transforms.target_vocabulary import MAPS, FeedVocabulary, feed_vocabulary

FEEDS, STATE = "ROSTER_FEEDS", "ROSTER_STATE"
# The feeds that come with the program may be run by their paths too.
SAMPLES = Path(__file__).parents[2] / "sample_data"


@with_options("")
class Feed(BaseModel):
    """The settings of one feed, as its file has them.

    A validator's message is the rest of a sentence that begins with the key.
    """

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
    shared: SharedSettings = SharedSettings()
    source: SourceSettings = SourceSettings()
    pickup: PickupSettings = PickupSettings()
    arrival: ArrivalSettings = ArrivalSettings()
    _path: Path = PrivateAttr()  # the file itself

    @field_validator("drop")
    @classmethod
    def _check_drop(cls, drop: str | None, info: ValidationInfo) -> str | None:
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
    def _check_layout(cls, layout: str, info: ValidationInfo) -> str:
        if info.data.get("rest") and layout not in ("auto", "oneroster"):
            raise ValueError(
                f"is {layout!r}, and what [rest] reads is always OneRoster. Remove the line."
            )
        return layout

    def model_post_init(self, context: Path) -> None:
        """Keep the path of the file, which is not a setting."""
        self._path = context

    @property
    def path(self) -> Path:
        """The feed file."""
        return self._path

    @property
    def mapping_path(self) -> Path | None:
        """The mapping file that describes the district's own layout; None for other layouts."""
        return self.path.parent / self.layout if self.layout.endswith(".toml") else None

    @property
    def drop_path(self) -> Path:
        """The path of the drop.

        For a drop at an address, the last part of the address; for an API as the source, the path
        of the feed file.
        """
        if self.address:
            return Path(self.address.rpartition("/")[2])
        return self.path.parent / self.drop if self.drop else self.path

    @property
    def address(self) -> str:
        """The address of the drop (`sftp://...`); blank for a drop on this machine."""
        return self.drop.rstrip("/") if self.drop and "://" in self.drop else ""

    def picked_up(self, environment: Mapping[str, str]) -> DropLocation:
        """Return where drops arrive. Raises `SettingsError` if a variable is not set."""
        access = self.pickup.access(self.path.parent, environment) if self.address else None
        return DropLocation(self.address, access, self.arrival.arrival, self.days)

    @property
    def days(self) -> re.Pattern[str]:
        """The pattern by which the name of a drop says its day."""
        return re.compile(self.drop_date_pattern) if self.drop_date_pattern else DATE_IN_NAME

    @property
    def dated(self) -> date | None:
        """The day of the drop, by the file or by the drop's name; None if neither says it."""
        return self.drop_date or (
            day_in_name(self.drop_path.name, self.days) if self.drop else None
        )

    @property
    def max_age_hours(self) -> float | None:
        """The greatest age of a drop; None for no limit."""
        return hours(self.max_age) if self.max_age else None

    @property
    def ids_path(self) -> Path | None:
        """The file that lists renamed ids; None if there is none."""
        return self.path.parent / self.ids if self.ids else None

    def key_name(self, district: str | None = None) -> str:
        """Return the feed's name in the ledger: `DISTRICT`, or `DISTRICT/FILE` if they differ."""
        district = district or self.district
        return district if self.path.stem == district else f"{district}/{self.path.stem}"

    def scope(self, on_this_machine: bool) -> SharingScope:
        """Return what may be shared.

        Demographics and contacts leave this machine only if the file says so.
        """
        share = self.share
        return SharingScope(
            share.schools,
            share.grades,
            share.roles,
            share.exclude,
            share.leave_out,
            on_this_machine if share.demographics is None else share.demographics,
            on_this_machine if share.contacts is None else share.contacts,
            share.passwords,
        )

    @property
    def own_zone(self) -> ZoneInfo | None:
        """The time zone that the file names; None if it names none."""
        return time_zone(self.time_zone) if "time_zone" in self.model_fields_set else None

    @property
    def carrying(self) -> FeedVocabulary:
        """The target's vocabulary, with the maps of the file laid over the API's own."""
        maps = {name: getattr(self.target, name) for name in MAPS}
        return feed_vocabulary(
            APIS[self.target.api].vocabulary,
            maps,
            email_template=self.target.email_template,
            session_org=self.target.session_org,
            zone=time_zone(self.time_zone),
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
    "shared": SharedSettings,
    "limits": LimitSettings,
    "limits.once": OnceSettings,
    "calendar": CalendarSettings,
    "keep": KeepSettings,
    "run": RunSettings,
    "schedule": ScheduleSettings,
    "notify": NotifySettings,
}


def read_feed(path: Path) -> Feed:
    """Read a feed file. Raises `SettingsError` with one sentence for each problem in it."""
    try:
        data = tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise SettingsError(
            f"{path}: cannot be read ({error.strerror}). Name a feed file that is there."
        ) from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path}: is not text in UTF-8. Save it as UTF-8.") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SettingsError(f"{path}: is not TOML: {error}. Correct that line.") from None
    try:
        feed = Feed.model_validate(data, context=path)
    except ValidationError as error:
        # Not chained: pydantic's own error repeats the values.
        raise SettingsError(*problem_sentences(path, error, TABLES)) from None
    if idle := [*unmet_needs(feed, data)]:
        raise SettingsError(*(f"{path}: {sentence}" for sentence in idle))
    return feed


def find_feed_file(district: str, environment: Mapping[str, str]) -> Path:
    """Find the file of a feed, by its name or path, in the folder of feeds ($ROSTER_FEEDS).

    Raises `SettingsError` for anything else: a person who may start a flow must not be able to make
    it read another file, a drop, or the destination of a link.
    """
    folder = _folder(environment)
    for path in (
        (Path(district), folder / district, folder / f"{district}.toml") if district else ()
    ):
        if path.suffix == ".toml" and _lies_in(path, folder) and path.is_file():
            return path
    names = sorted(file.stem for file in folder.glob("*.toml"))
    if close := get_close_matches(district, names, 1):
        hint = f" Did you mean {close[0]!r}?"
    else:
        hint = f" There are: {', '.join(names)}." if names else ""
    raise SettingsError(
        f"District {district!r} is no feed file in {folder}.{hint} Name one by its name "
        f"without .toml; ${FEEDS} of the "
        "worker says where the feed files are. Other files and bare drops are for the command "
        "line."
    )


def feeds_folder(feeds: str, environment: Mapping[str, str]) -> Path:
    """Return a folder inside the folder of feeds ($ROSTER_FEEDS); blank means that folder itself.

    Raises `SettingsError` for any other folder.
    """
    folder = _folder(environment)
    path = Path(feeds) if feeds else folder
    if _lies_in(path, folder):
        return path
    raise SettingsError(
        f"{feeds!r} does not lie in {folder}. ${FEEDS} of the worker says where the feeds' "
        "files are."
    )


def state_folder(state: str, environment: Mapping[str, str]) -> Path:
    """Return the state folder; blank means $ROSTER_STATE, or else `.roster`.

    Raises `SettingsError` if other users can write to the folder and that cannot be changed.
    """
    return protect_state_folder(Path(state or environment.get(STATE) or ".roster"))


def _folder(environment: Mapping[str, str]) -> Path:
    return Path(environment.get(FEEDS) or "feeds")


def _lies_in(path: Path, folder: Path) -> bool:
    """Return whether a path, with all links followed, is in the folder of feeds or the samples."""
    try:
        real = path.resolve(strict=True)
    except (OSError, ValueError, RuntimeError):  # missing, not a path, or links in a circle
        return False
    return any(real.is_relative_to(one.resolve()) for one in (folder, SAMPLES))
