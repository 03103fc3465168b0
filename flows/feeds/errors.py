"""What is wrong in a feed's file, in sentences: file, key, what was found, what is expected, what to do."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from flows.feeds.values import one_of

Tables = Mapping[str, type[BaseModel]]
SHOWN = 40  # characters of a value
# Keys whose value may be a secret in the wrong place.
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
    "drop": "Add the folder or the zip in which drops arrive, relative to this file, or a table [rest] for an API.",
    "rest.url": "Add the address of the API, as far as /ims/oneroster.",
}


def sentences(path: Path, error: ValidationError, tables: Tables) -> list[str]:
    """Say each thing that is wrong; `tables` are the models of the file's tables, the whole file as "" among them."""
    return [f"{path}: {_sentence(found, tables)}" for found in error.errors(include_url=False)]


def _sentence(found: ErrorDetails, tables: Tables) -> str:
    key = _dotted(found["loc"])
    context = found.get("ctx", {})
    match found["type"]:
        case "missing":
            return f"`{key}` is missing. {MISSING.get(key, 'Add it.')}"
        case "extra_forbidden":
            return f"`{key}` is not a setting: {_meant(key, tables)}"
        case "value_error":
            return f"`{key}` {context['error']}"
    expected = EXPECTED.get(found["type"], found["msg"]).format(**context)
    return f"`{key}` is {_shown(key, found['input'])}; expected {expected}."


def _dotted(place: tuple[int | str, ...]) -> str:
    """`share.schools`, `target.grades.KG`; the number of an item and pydantic's own marks are left out."""
    return ".".join(part for part in place if isinstance(part, str) and part != "[key]")


def _meant(key: str, tables: Tables) -> str:
    """Guess what was meant: a key that is spelled alike, or one of another table."""
    table, _, name = key.rpartition(".")
    words = tables[table].model_fields
    elsewhere = [f"{other}.{name}".lstrip(".") for other, model in tables.items() if name in model.model_fields]
    if elsewhere and not get_close_matches(name, words):
        return f"did you mean `{elsewhere[0]}`?"
    return one_of(name, words)


def _shown(key: str, value: Any) -> str:
    if key.endswith(HIDDEN):
        return f"a value of another kind ({type(value).__name__}, not shown)"
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
