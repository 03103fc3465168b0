"""The filter grammar of the API, as SQL over JSON records.

Source: API reference, section 6: `field op 'value'`, joined by AND and OR, with parentheses; quotes
in values are doubled; references by one dot (`user.sourcedId`), never two.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from connectors.oneroster.sandbox.failures import Failure
from connectors.oneroster.sandbox.store import path_of

TOKEN = re.compile(
    r"\s*(?:(?P<open>\()|(?P<close>\))|(?P<join>AND|OR)(?=[\s(])"
    r"|(?P<field>[A-Za-z_][\w.\-]*)\s*(?P<op>!=|>=|<=|=|>|<|~|@)\s*(?:'(?P<text>(?:[^']|'')*)'|(?P<bare>[^\s()']+)))"
)
OPERATORS = {"=": "=", ">": ">", ">=": ">=", "<": "<", "<=": "<="}
Known = Callable[[str], bool]


@dataclass
class Condition:
    """A condition in SQL, and its values in order."""

    sql: str = "1"
    values: list[str] = field(default_factory=list)


def parsed(text: str, known: Known) -> Condition:
    """Read a filter; `known` tells whether the collection has a property. Raises `Failure`: 400, or 422 for bare booleans."""
    if not text.strip():
        return Condition()
    reading = _Reading(text.strip(), known)
    condition = reading.alternatives()
    if reading.place != len(reading.text):
        raise _wrong(reading.text[reading.place :])
    return condition


def _wrong(where: str) -> Failure:
    return Failure(400, f"Error in filter query: cannot read {where[:40]!r}")


class _Reading:
    """A filter while it is read, by recursive descent; AND binds closer than OR."""

    def __init__(self, text: str, known: Known) -> None:
        self.text, self.known, self.place = text, known, 0

    def alternatives(self) -> Condition:
        """Read conditions joined by OR."""
        return self._joined("OR", lambda: self._joined("AND", self._term))

    def _joined(self, word: str, part: Callable[[], Condition]) -> Condition:
        condition = part()
        while (token := self._peek()) and token["join"] == word:
            self.place = token.end()
            right = part()
            condition = Condition(f"({condition.sql} {word} {right.sql})", condition.values + right.values)
        return condition

    def _term(self) -> Condition:
        token = self._peek()
        if token is None or token["join"] or token["close"]:
            raise _wrong(self.text[self.place :])
        self.place = token.end()
        if not token["open"]:
            return self._comparison(token)
        condition = self.alternatives()
        closing = self._peek()
        if closing is None or not closing["close"]:
            raise _wrong(self.text[self.place :])
        self.place = closing.end()
        return condition

    def _peek(self) -> re.Match[str] | None:
        return TOKEN.match(self.text, self.place)

    def _comparison(self, token: re.Match[str]) -> Condition:
        name, operator = token["field"], token["op"]
        if token["bare"] in ("true", "false"):
            raise Failure(422, "A boolean in a filter must be quoted.", filter=name)
        if not self.known(name):
            raise Failure(400, f"Error in filter query: there is no property {name!r}")
        value = token["bare"] if token["text"] is None else token["text"].replace("''", "'")
        return _compared(name, operator, value)


def _compared(name: str, operator: str, value: str) -> Condition:
    """Compare a property, or any item of a list, with a value as text."""
    if operator == "!=":
        equal = _compared(name, "=", value)
        return Condition(f"NOT ({equal.sql})", equal.values)
    if operator == "~":
        return _any(name, "instr(lower(item), lower(?)) > 0", [value])
    if operator == "@":
        items = [item.strip() for item in value.split(",")]
        return _any(name, f"item IN ({', '.join('?' * len(items))})", items)
    return _any(name, f"item {OPERATORS[operator]} ?", [value])


def _any(name: str, test: str, values: list[str]) -> Condition:
    """Hold a test against a property as text; of a list against its items, and of a list of objects against one property."""
    whole, _, inner = name.partition(".")
    own = f"CAST(json_extract(body, '{path_of(name)}') AS TEXT)"
    item = f"json_extract(value, '{path_of(inner)}')" if inner else "value"
    items = f"(SELECT CAST({item} AS TEXT) AS item FROM json_each(body, '{path_of(whole)}') WHERE json_type(body, '{path_of(whole)}') = 'array')"
    sql = f"CASE json_type(body, '{path_of(whole)}') WHEN 'array' THEN EXISTS (SELECT 1 FROM {items} WHERE {test}) ELSE coalesce({test.replace('item', own)}, 0) END"
    return Condition(f"({sql})", values * 2)
