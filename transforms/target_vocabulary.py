"""A target's vocabulary: its words, and the maps from the standard's words to the target's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

Words = Mapping[str, str]
UTC_ZONE = ZoneInfo("UTC")
# The maps that a feed file may change, by the name of their table in the file.
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
    """How the values of one column become the target's.

    A value that is not in the map is omitted, with a warning, unless a field says otherwise.
    """

    map_name: str
    unknown: str | None = None  # sent instead of a value that is not in the map, with a warning
    refuses: str = ""  # the rule that refuses records with a value that is not in the map


@dataclass(frozen=True)
class TargetVocabulary:
    """The differences between a target's records and the standard's."""

    # The target's words, by the name of the map that has them as values.
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    # The maps from the standard's words, and other common ones, to the target's, by name.
    maps: Mapping[str, Words] = field(default_factory=dict)
    # The columns whose values are mapped, by entity and name. Users' roles use the map `roles`.
    columns: Mapping[tuple[str, str], MappedColumn] = field(default_factory=dict)
    # Columns that the target requires and the standard does not, by entity.
    wanted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    # Columns that the target does not have, by entity; also parts that fold into the entity.
    homeless: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    wants_email: bool = False  # the target requires an address for each user
    # The target requires an organization for each session; the CSV binding has none.
    wants_session_org: bool = False
    # `administrator` stands for administrators of schools and of districts, as in OneRoster 1.1.
    administrators_as_in_1_1: bool = False
    # From the target's roles to the standard's, for reading.
    roles_read_as: Words = field(default_factory=dict)


@dataclass(frozen=True)
class FeedVocabulary:
    """A target's vocabulary with the settings of one feed."""

    vocabulary: TargetVocabulary
    maps: Mapping[str, Words]  # the vocabulary's maps with the feed's changes
    # Makes an address for users without one; the fields in braces are columns of users.
    email_template: str | None = None
    session_org: str | None = None  # the organization of sessions, if the target requires one
    zone: ZoneInfo = UTC_ZONE  # the time zone that days begin and end in


def feed_vocabulary(
    vocabulary: TargetVocabulary,
    overrides: Mapping[str, Words] | None = None,
    *,
    email_template: str | None = None,
    session_org: str | None = None,
    zone: ZoneInfo = UTC_ZONE,
) -> FeedVocabulary:
    """Apply a feed's settings to a target's vocabulary; `overrides` changes maps, by name."""
    own = overrides or {}
    maps = {name: {**words, **own.get(name, {})} for name, words in vocabulary.maps.items()}
    return FeedVocabulary(vocabulary, maps, email_template, session_org, zone)
