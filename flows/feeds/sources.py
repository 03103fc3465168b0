"""`[source]` of a feed's file: how the student information system writes, where its layout leaves that open."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator as Checked
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    ValidationInfo,
    field_validator,
    model_validator,
)

from flows.feeds.secret import HOWS, Secret, secret_of
from flows.feeds.values import Block, File, Text, Variable, Words, one_of
from transforms.layouts.dialect import Dialect
from transforms.schemas import vocabularies

CONFIG = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
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
                    f"says that {word!r} is {meaning!r}, which OneRoster does not know: {one_of(meaning, known)}"
                )
        return words


def _races() -> tuple[str, ...]:
    from transforms.layouts.words import RACES

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
        found = {name for name in self.model_fields_set - {"district", "words"} if getattr(self, name)}
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
