"""What the target can carry: its vocabularies, and which of its words stands for which of the standard's.

Source: API reference, section 11b (the maps), section 8 and appendix A (the vocabularies, as they
are on write).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from zoneinfo import ZoneInfo

from transforms.schemas import vocabularies

Words = Mapping[str, str]
GREENWICH = ZoneInfo("UTC")

GRADES = ("-1", *(str(grade) for grade in range(14)))
SUBJECTS = ("Reading", "Language", "Vocabulary", "Social Studies", "Writing", "Science", "FastMath", "Math")
ROLES = (
    "system_administrator", "administrator", "aide", "guardian", "parent", "proctor", "relative", "student", "teacher",
)  # fmt: skip
SEXES = ("male", "female")
# For whom a resource is meant, in the target's published vocabulary; it has no roles of people here.
RESOURCE_ROLES = ("primary", "secondary")

# The target's words, by the name of the map that leads to them.
VOCABULARIES: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "grades": GRADES,
    "subjects": SUBJECTS,
    "roles": ROLES,
    "enrollment_roles": vocabularies.ENROLLMENT_ROLES,
    "org_types": vocabularies.ORG_TYPES,
    "session_types": vocabularies.SESSION_TYPES,
    "class_types": vocabularies.CLASS_TYPES,
    "sex": SEXES,
    "resource_roles": RESOURCE_ROLES,
    "score_statuses": vocabularies.SCORE_STATUS,
})  # fmt: skip


def _as_they_are(words: Iterable[str]) -> dict[str, str]:
    return {word: word for word in words}


# Grade codes of the standard (CEDS), and the target's own numbers.
_GRADES = {
    "PK": "-1",
    "KG": "0",
    "TK": "0",
    **{f"{grade:02}": str(grade) for grade in range(1, 14)},
    **_as_they_are(GRADES),
}
# A key that ends in `*` stands for every word that begins so.
_SUBJECTS = {
    **_as_they_are(SUBJECTS),
    "Mathematics": "Math", "Algebra*": "Math", "Geometry": "Math",
    "English*": "Language", "Language Arts": "Language", "ELA": "Language",
    "Biology": "Science", "Chemistry": "Science", "Physics": "Science",
    "History": "Social Studies", "Geography": "Social Studies", "Civics": "Social Studies",
}  # fmt: skip
_ROLES = {
    **_as_they_are(vocabularies.ROLES_1_1),
    "siteAdministrator": "administrator", "districtAdministrator": "administrator", "principal": "administrator",
    "systemAdministrator": "system_administrator", "counselor": "aide",
}  # fmt: skip

DEFAULTS: Mapping[str, Words] = MappingProxyType({
    "grades": MappingProxyType(_GRADES),
    "subjects": MappingProxyType(_SUBJECTS),
    "roles": MappingProxyType(_ROLES),
    "enrollment_roles": MappingProxyType(_as_they_are(vocabularies.ENROLLMENT_ROLES)),
    "org_types": MappingProxyType(_as_they_are(vocabularies.ORG_TYPES)),
    "session_types": MappingProxyType(_as_they_are(vocabularies.SESSION_TYPES)),
    "class_types": MappingProxyType(_as_they_are(vocabularies.CLASS_TYPES)),
    "sex": MappingProxyType(_as_they_are(SEXES)),
    "resource_roles": MappingProxyType(_as_they_are(RESOURCE_ROLES)),
    "score_statuses": MappingProxyType(_as_they_are(vocabularies.SCORE_STATUS)),
})  # fmt: skip


def _default(name: str) -> Callable[[], Words]:
    return lambda: DEFAULTS[name]


@dataclass(frozen=True)
class Carrying:
    """How records become what the target can carry.

    `email_template` gives those users an address that have none; its `{column}`s are columns of
    users. `session_org` is the organisation of sessions, which the target wants and the CSV lacks.
    `zone` is the time zone in which days begin and end.
    """

    email_template: str | None = None
    session_org: str | None = None
    grades: Words = field(default_factory=_default("grades"))
    subjects: Words = field(default_factory=_default("subjects"))
    roles: Words = field(default_factory=_default("roles"))
    enrollment_roles: Words = field(default_factory=_default("enrollment_roles"))
    org_types: Words = field(default_factory=_default("org_types"))
    session_types: Words = field(default_factory=_default("session_types"))
    class_types: Words = field(default_factory=_default("class_types"))
    sex: Words = field(default_factory=_default("sex"))
    resource_roles: Words = field(default_factory=_default("resource_roles"))
    score_statuses: Words = field(default_factory=_default("score_statuses"))
    zone: ZoneInfo = GREENWICH


def carrying(
    overrides: Mapping[str, Words], *, email_template: str | None = None, session_org: str | None = None,
    zone: ZoneInfo = GREENWICH,
) -> Carrying:  # fmt: skip
    """Lay a feed's maps (by name, as in `DEFAULTS`) over the defaults."""
    maps = {name: MappingProxyType({**DEFAULTS[name], **words}) for name, words in overrides.items()}
    return Carrying(email_template, session_org, zone=zone, **maps)
