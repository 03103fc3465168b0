"""What a target can carry: its vocabularies, and which of its words stands for which of the standard's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

Words = Mapping[str, str]
GREENWICH = ZoneInfo("UTC")
# The maps that a feed's file may change, by the name of their table.
MAPS = (
    "grades",
    "subjects",
    "roles",
    "enrollment_roles",
    "org_types",
    "session_types",
    "class_types",
    "sex",
    "resource_roles",
    "score_statuses",
)


@dataclass(frozen=True)
class MappedColumn:
    """How one column's values become the target's: its map, and what an unknown value becomes.

    `unknown` is sent instead, with a warning; without one the value is left out, with a warning, or
    the record is refused by the rule `refuses`.
    """

    map_name: str
    unknown: str | None = None
    refuses: str = ""


@dataclass(frozen=True)
class TargetVocabulary:
    """What the records of one target can say; what is not named here is as in the standard.

    Attributes:
        words: The target's words, by the name of the map that leads to them.
        maps: The standard's words, and others in use, to the target's; by the name of the map.
        columns: The columns whose values are mapped, by entity and name. Roles of users are mapped by the map `roles`.
        wanted: Columns that the target wants and the standard leaves open, by entity.
        homeless: Columns for which the target has no place, by entity; also names of parts that fold into an entity.
        wants_email: Whether the target wants an address for each user.
        wants_session_org: Whether the target wants an organization for each session, which the CSV binding lacks.
        administrators_as_in_1_1: Whether one word, `administrator`, stands for those of schools and of districts.
        roles_read_as: Roles as the target gives them to the standard's.
    """

    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    maps: Mapping[str, Words] = field(default_factory=dict)
    columns: Mapping[tuple[str, str], MappedColumn] = field(default_factory=dict)
    wanted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    homeless: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    wants_email: bool = False
    wants_session_org: bool = False
    administrators_as_in_1_1: bool = False
    roles_read_as: Words = field(default_factory=dict)


@dataclass(frozen=True)
class Carrying:
    """How a feed's records become what its target can carry.

    Attributes:
        vocabulary: What the target can say.
        maps: The vocabulary's maps, with the feed's own laid over them.
        email_template: Gives those users an address that have none; its `{column}`s are columns of users.
        session_org: The organization of sessions, where the target wants one.
        zone: The time zone in which days begin and end.
    """

    vocabulary: TargetVocabulary
    maps: Mapping[str, Words]
    email_template: str | None = None
    session_org: str | None = None
    zone: ZoneInfo = GREENWICH


def carrying(
    vocabulary: TargetVocabulary,
    overrides: Mapping[str, Words] | None = None,
    *,
    email_template: str | None = None,
    session_org: str | None = None,
    zone: ZoneInfo = GREENWICH,
) -> Carrying:
    """Lay a feed's maps, by name, over those of a target."""
    own = overrides or {}
    maps = {name: {**words, **own.get(name, {})} for name, words in vocabulary.maps.items()}
    return Carrying(vocabulary, maps, email_template, session_org, zone)
