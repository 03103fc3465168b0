"""The words of layouts as a mapping file writes them: each by its own name, with its parameters by theirs.

`{iso_date = "Start", order = "dmy"}` is `iso_date("Start", order="dmy")`: the word's first parameter stands at its name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from inspect import Parameter, signature
from typing import Any, get_type_hints

from transforms.layouts import cells, conditions
from transforms.layouts.cells import Cell

Word = Callable[..., Cell]

CELLS: dict[str, Word] = {
    word.__name__: word
    for word in (
        cells.text, cells.constant, cells.district, cells.first, cells.joined, cells.given, cells.lowered, cells.texts,
        cells.one_of, cells.derived, cells.derived_each, cells.digested, cells.digested_each, cells.iso_date, cells.birth_date, cells.grades, cells.yes_no,
        cells.sex, cells.org_type, cells.role, cells.class_role, cells.status, cells.user_ids, cells.given_name,
        cells.family_name,
    )
}  # fmt: skip
CONDITIONS: dict[str, Word] = {
    word.__name__: word
    for word in (
        conditions.filled,
        conditions.either,
        conditions.blank,
        conditions.both,
        conditions.is_any,
        conditions.is_none,
    )
}


@dataclass(frozen=True)
class Argument:
    """One parameter of a word: its `kind`, and whether a mapping may leave it out; `spread` says how it is given."""

    name: str
    kind: Any
    optional: bool
    spread: str = ""


@cache
def arguments(word: Word) -> tuple[Argument, ...]:
    """The parameters of a word in their order."""
    hints = get_type_hints(word)
    return tuple(_argument(one, hints[one.name]) for one in signature(word).parameters.values())


def _argument(parameter: Parameter, hint: Any) -> Argument:
    if parameter.kind is Parameter.VAR_POSITIONAL:
        return Argument(parameter.name, tuple[hint, ...], False, "*")
    if parameter.kind is Parameter.VAR_KEYWORD:
        return Argument(parameter.name, Mapping[str, hint], False, "**")
    return Argument(parameter.name, hint, parameter.default is not Parameter.empty)


def said(word: Word, values: Mapping[str, Any]) -> Cell:
    """Say a word with values for its parameters."""
    listed: list[Any] = []
    named: dict[str, Any] = {}
    for one in arguments(word):
        if one.name not in values:
            continue
        if one.spread == "*":
            listed += values[one.name]
        elif one.spread == "**":
            named |= values[one.name]
        elif one.optional:
            named[one.name] = values[one.name]
        else:
            listed.append(values[one.name])
    return word(*listed, **named)
