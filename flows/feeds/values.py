"""The kinds of values in a feed file: the check of each, and the messages about wrong values.

A check raises `ValueError` with the rest of a sentence that begins with the key. No message repeats
a value that may be a secret in the wrong place.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Mapping
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator as Checked
from pydantic import BaseModel, BeforeValidator, Field, StringConstraints, ValidationError
from pydantic_core import ErrorDetails

from connectors.oneroster.providers import PROVIDERS
from flows.arrival import DROP
from flows.feeds.schedule import check_cron
from flows.target import APIS, ENVIRONMENT, SANDBOX, check_token_address, normalize_address
from flows.time_zones import time_zone_names
from transforms.removals import allowed_policies
from transforms.schemas import ENTITIES
from transforms.schemas.vocabularies import CLASS_TYPES, ROLES, ROLES_1_1

SECRET_LENGTH = 20
# RFC 6749, section 3.3.
SCOPE = re.compile(r"[!#-\[\]-~]+( [!#-\[\]-~]+)*")
PREFIX = "/ims/oneroster"
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def suggestion(word: str, words: Iterable[str]) -> str:
    """Suggest the closest of the valid words, or list them all."""
    words = list(words)
    close = get_close_matches(word, words, 1)
    return f"did you mean {close[0]!r}?" if close else f"expected one of {', '.join(words)}."


def _address(text: str) -> str:
    return text if text in (SANDBOX, ENVIRONMENT) else normalize_address(text)


def _api(text: str) -> str:
    if text not in APIS:
        raise ValueError(
            f"is {text!r}, which is no API that is known here: {suggestion(text, APIS)}"
        )
    return text


def _base_address(text: str) -> str:
    """Normalize the address of an API, up to the path that the standard prescribes."""
    url = normalize_address(text)
    if PREFIX in url:
        raise ValueError(
            f"goes too far: give what stands before {PREFIX}, which is the same everywhere."
        )
    return url


def _token_address(text: str) -> str:
    check_token_address(text)
    return text


def _profile(text: str) -> str:
    if text not in PROVIDERS:
        raise ValueError(
            f"is {text[:MOST_SHOWN]!r}, which is no provider that is known here: "
            f"{suggestion(text, PROVIDERS)} Without one, leave the line out."
        )
    return text


def _scope(text: str) -> str:
    if not SCOPE.fullmatch(text):
        raise ValueError(
            "is no scope: expected words of plain text with one space between them, as the "
            "operator of the API names them."
        )
    return text


def _name_of_secret(text: str) -> str:
    """Refuse what looks like the secret itself: a long, unbroken run of letters and digits."""
    for piece in re.split(r"[/\\._ -]", text):
        if (
            len(piece) >= SECRET_LENGTH
            and re.search(r"\d", piece)
            and re.search(r"[A-Za-z]", piece)
        ):
            raise ValueError(
                "looks like the secret itself (not shown). Give the name of a variable, a "
                "file or a block that holds it."
            )
    return text


def _variable(text: str) -> str:
    if not re.fullmatch(r"[A-Z][A-Z0-9_]*", text):
        raise ValueError(
            "is not the name of a variable (not shown), such as LARKSPUR_CLIENT_SECRET. The "
            "secret itself never stands here."
        )
    return _name_of_secret(text)


def _file(text: str) -> str:
    if "://" in text:
        raise ValueError(
            "is an address (not shown), and not the name of a file. Write the address into a "
            "file, and name that."
        )
    return _name_of_secret(text)


def _block(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", text):
        raise ValueError(
            "is not the name of a block (not shown): small letters and digits, with - between them."
        )
    return _name_of_secret(text)


def _encoding(text: str) -> str:
    try:
        "a".encode(text)
    except (LookupError, ValueError):
        raise ValueError(
            f"is {text!r}, which is no encoding; write it as utf-8, cp1252 or utf-16."
        ) from None
    return text


def _template(text: str) -> str:
    columns = [column.name for column in ENTITIES["users"].current]
    try:
        fields = [
            (name, spec, how)
            for _, name, spec, how in string.Formatter().parse(text)
            if name is not None
        ]
    except ValueError:
        fields = []
    if not fields or text.count("@") != 1 or any(spec or how for _, spec, how in fields):
        raise ValueError(
            f"is {text!r}; expected a column in braces and one @, such as "
            f"{{sourcedId}}@students.example.edu."
        )
    for name, _, _ in fields:
        if name not in columns:
            raise ValueError(
                f"names {name!r}, which is no column of users: {suggestion(name, columns)}"
            )
    return text


def _role(text: str) -> str:
    roles = dict.fromkeys((*ROLES, *ROLES_1_1))
    if text not in roles and not text.startswith("ext:"):
        raise ValueError(f"is {text!r}, which is no role: {suggestion(text, roles)}")
    return text


def _class_type(text: str) -> str:
    if text not in CLASS_TYPES and not text.startswith("ext:"):
        raise ValueError(f"is {text!r}: {suggestion(text, CLASS_TYPES)}")
    return text


def _id(text: str) -> str:
    if not re.fullmatch(r"[0-9A-Za-z.\-_/@]{1,100}", text):
        raise ValueError(f"is {text!r}; ids have letters, digits and . - _ / @ alone.")
    return text


def _columns(columns: dict[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    for entity, names in columns.items():
        if entity not in ENTITIES:
            raise ValueError(
                f"names {entity!r}, which is no entity: {suggestion(entity, ENTITIES)}"
            )
        known = {column.name: column for column in ENTITIES[entity].current}
        for name in sorted(names):
            if name not in known and not name.startswith("metadata."):
                raise ValueError(
                    f"names {entity}.{name}, which is no column: {suggestion(name, known)}"
                )
            if name in known and known[name].required:
                raise ValueError(
                    f"names {entity}.{name}, which is required and cannot be left out. Remove it."
                )
    return columns


def _column_names(columns: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    for entity, names in columns.items():
        if entity not in ENTITIES:
            raise ValueError(
                f"names {entity!r}, which is no entity: {suggestion(entity, ENTITIES)}"
            )
        known = [column.name for column in ENTITIES[entity].columns if column.versions]
        for cell, name in names.items():
            if name not in known and not name.startswith("metadata."):
                raise ValueError(
                    f"says that {cell!r} is {entity}.{name}, which is no column: "
                    f"{suggestion(name, known)}"
                )
            if list(names.values()).count(name) > 1:
                raise ValueError(f"gives {entity}.{name} several columns. Keep one of them.")
    return columns


def _time_zone(text: str) -> str:
    zones = time_zone_names()
    if text not in zones:
        close = get_close_matches(text, list(zones), 1)
        hint = f"did you mean {close[0]!r}?" if close else "see the names of the IANA database."
        raise ValueError(f"is {text!r}, which is no time zone, such as America/Chicago: {hint}")
    return text


def _entity(text: str) -> str:
    records = [name for name, entity in ENTITIES.items() if not entity.folds_into]
    if text not in records:
        raise ValueError(f"names {text!r}, which is no entity: {suggestion(text, records)}")
    return text


def _policies(policies: dict[str, str]) -> dict[str, str]:
    for entity, policy in policies.items():
        if policy not in allowed_policies(entity):
            raise ValueError(
                f"says {policy!r} of {entity}, which cannot be done: "
                f"{suggestion(policy, allowed_policies(entity))}"
            )
    return policies


def _span(value: object) -> tuple[date, date]:
    first, _, last = str(value).partition("..")
    try:
        return date.fromisoformat(first), date.fromisoformat(last or first)
    except ValueError:
        raise ValueError(
            f'has {str(value)!r}; expected a day or two, such as "2026-12-24" or '
            '"2026-12-24..2027-01-04".'
        ) from None


def _day_of_year(text: str) -> str:
    try:
        date.fromisoformat(f"2001-{text}")
    except ValueError:
        raise ValueError(f'is {text!r}; expected a month and a day, such as "07-01".') from None
    return text


def _age(text: str) -> str:
    hours(text)
    return text


def hours(age: str) -> float:
    """Convert an age such as `36h` or `2d` to hours. Raises `ValueError` if it is no age."""
    if not (match := re.fullmatch(r"(\d{1,4})([hd])", age)):
        raise ValueError(f"is {age!r}; expected hours or days, such as 36h or 2d.")
    return int(match[1]) * (24 if match[2] == "d" else 1)


def _duration(text: str) -> str:
    if not re.fullmatch(r"[1-9]\d{0,3}[smhd]", text):
        raise ValueError(
            f"is {text!r}; expected a number with s, m, h or d, such as 90s, 2m or 6h."
        )
    return text


def seconds(duration: str | None) -> float:
    """Convert a duration such as `90s` or `6h` to seconds; None is 0."""
    return int(duration[:-1]) * SECONDS[duration[-1]] if duration else 0


def _marker(text: str) -> str:
    """Check the name of the file that marks an upload as complete; `DROP` stands for the drop."""
    if "/" in text or "*" in text or "{" in text.replace(DROP, ""):
        raise ValueError(
            f"is {text!r}; expected the name of a file, such as _READY or {DROP}.ready."
        )
    return text


def _date_pattern(text: str) -> str:
    try:
        groups = set(re.compile(text).groupindex)
    except re.error as error:
        raise ValueError(f"is no regular expression ({error}).") from None
    if not {"year", "month", "day"} <= groups:
        raise ValueError("lacks a group; it needs (?P<year>...), (?P<month>...) and (?P<day>...).")
    if groups & {"minute", "second", "ampm"} and "hour" not in groups:
        raise ValueError("lacks a group; a time needs (?P<hour>...).")
    return text


def _layout(text: str) -> str:
    # Loads every layout, which commands that read no drop do not need.
    from transforms.sources import AUTO, SOURCES

    if text not in (AUTO, *SOURCES) and not text.endswith(".toml"):
        raise ValueError(
            f"is {text[:40]!r}: {suggestion(text, (AUTO, *SOURCES))} A layout of your own is a "
            "file (*.toml), which `roster map DROP` begins."
        )
    return text


Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Name = Annotated[Text, StringConstraints(pattern=r"^[^/\\\x00-\x1f\x7f]{1,100}$")]
Encoding = Annotated[Text, Checked(_encoding)]
Address = Annotated[Text, Checked(_address)]
Api = Annotated[Text, Checked(_api)]
BaseAddress = Annotated[Text, Checked(_base_address)]
TokenAddress = Annotated[Text, Checked(_token_address)]
Profile = Annotated[Text, Checked(_profile)]
Scope = Annotated[Text, Checked(_scope)]
Variable = Annotated[Text, Checked(_variable)]
File = Annotated[Text, Checked(_file)]
Block = Annotated[Text, Checked(_block)]
Layout = Annotated[Text, Checked(_layout)]
Cron = Annotated[Text, Checked(check_cron)]
Template = Annotated[Text, Checked(_template)]
TimeZone = Annotated[Text, Checked(_time_zone)]
Entity = Annotated[Text, Checked(_entity)]
Entities = frozenset[Entity]
ClassType = Annotated[Text, Checked(_class_type)]
Id = Annotated[Text, Checked(_id)]
Removals = Annotated[dict[Entity, Literal["delete", "disable", "end", "keep"]], Checked(_policies)]
Span = Annotated[tuple[date, date], BeforeValidator(_span)]
DayOfYear = Annotated[Text, Checked(_day_of_year)]
Age = Annotated[Text, Checked(_age)]
Duration = Annotated[Text, Checked(_duration)]
Marker = Annotated[Text, Checked(_marker)]
DatePattern = Annotated[Text, Checked(_date_pattern)]
Words = dict[Text, Text]
TextSet = Annotated[frozenset[Text], Field(min_length=1)]
Columns = Annotated[dict[Text, TextSet], Checked(_columns)]
ColumnNames = Annotated[dict[Text, Words], Checked(_column_names)]
RoleSet = Annotated[frozenset[Annotated[Text, Checked(_role)]], Field(min_length=1)]


Tables = Mapping[str, type[BaseModel]]
MOST_SHOWN = 40  # characters of a value that a message repeats
# Endings of the keys whose value may be a secret in the wrong place.
HIDDEN = ("_env", "_file", "_block", "url", "notify.env", "notify.files", "notify.blocks")
EXPECTED = {
    "string_type": "a text in quotes",
    "int_type": "a whole number without quotes",
    "float_type": "a number without quotes",
    "bool_type": "true or false without quotes",
    "frozen_set_type": 'a list of texts, such as ["a", "b"]',
    "dict_type": "a table",
    "model_type": "a table",
    "string_too_short": "a text that is not blank",
    "string_pattern_mismatch": "up to 100 characters without slashes",
    "too_short": "at least one item; leave the key out for no limit",
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
    "literal_error": "{expected}",
}
MISSING = {
    "target": 'Add a table [target] with `url`: the address of the API, "env" or "sandbox".',
    "target.url": 'Add the address of the API, "env" or "sandbox".',
    "drop": (
        "Add the folder or the zip in which drops arrive, relative to this file, or a table "
        "[rest] for an API."
    ),
    "rest.url": "Add the address of the API, as far as /ims/oneroster.",
}


def problem_sentences(path: Path, error: ValidationError, tables: Tables) -> list[str]:
    """Return a sentence for each problem that pydantic found in a feed file.

    `tables` has the model of each of the file's tables by name; "" is the whole file.
    """
    return [f"{path}: {_sentence(problem, tables)}" for problem in error.errors(include_url=False)]


def _sentence(problem: ErrorDetails, tables: Tables) -> str:
    key = _dotted(problem["loc"])
    context = problem.get("ctx", {})
    match problem["type"]:
        case "missing":
            return f"`{key}` is missing. {MISSING.get(key, 'Add it.')}"
        case "extra_forbidden":
            return f"`{key}` is not a setting: {_suggestion(key, tables)}"
        case "value_error":
            return f"`{key}` {context['error']}"
    expected = EXPECTED.get(problem["type"], problem["msg"]).format(**context)
    return f"`{key}` is {_redacted(key, problem['input'])}; expected {expected}."


def _dotted(location: tuple[int | str, ...]) -> str:
    """Write a location as `target.grades.KG`, without list indexes and pydantic's own marks."""
    return ".".join(part for part in location if isinstance(part, str) and part != "[key]")


def _suggestion(key: str, tables: Tables) -> str:
    """Suggest a key of the same table with a similar spelling, or the same key in another table."""
    table, _, name = key.rpartition(".")
    words = tables[table].model_fields
    elsewhere = [
        f"{other}.{name}".lstrip(".")
        for other, model in tables.items()
        if name in model.model_fields
    ]
    if elsewhere and not get_close_matches(name, words):
        return f"did you mean `{elsewhere[0]}`?"
    return suggestion(name, words)


def _redacted(key: str, value: Any) -> str:
    if key.endswith(HIDDEN):
        return f"a value of another kind ({type(value).__name__}, not shown)"
    text = repr(value)
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}..."
