"""The filter grammar of the API, as SQL over JSON records.

Source: API reference, section 6: `field op 'value'`, joined by AND and OR, with parentheses; quotes
in values are doubled; references by one dot (`user.sourcedId`), never two.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from connectors.oneroster.sandbox.failures import Failure
from connectors.oneroster.sandbox.forms import COMMON, Form
from connectors.oneroster.sandbox.seed import MIDNIGHT
from connectors.oneroster.sandbox.store import path_sql, property_sql

TOKEN = re.compile(
    r"\s*(?:(?P<open>\()|(?P<close>\))|(?P<join>AND|OR)(?=[\s(])"
    r"|(?P<field>[A-Za-z_][\w.\-]*)\s*(?P<op>!=|>=|<=|=|>|<|~|@)\s*(?:'(?P<text>(?:[^']|'')*)'|(?P<bare>[^\s()']+)))"
)
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
# SQLite's own limit on nesting is a little higher.
MOST_COMPARISONS, DEEPEST = 500, 20


@dataclass
class Condition:
    """A condition in SQL, and its values in order."""

    sql: str = "1"
    values: list[str] = field(default_factory=list)


def parsed(text: str, form: Form) -> Condition:
    """Read a filter on records of a form. Raises `Failure`: 400, or 422 for booleans without quotes."""
    if not text.strip():
        return Condition()
    reading = _Reading(text.strip(), form)
    condition = reading.alternatives()
    if reading.place != len(reading.text):
        raise _wrong(reading.text[reading.place :])
    return condition


def is_property(form: Form, name: str) -> bool:
    """Tell whether a filter or a sort may name it: a property, `metadata.x`, or one dot into a reference or a part."""
    whole, _, inner = name.partition(".")
    if whole not in form.properties:
        return False
    if whole == "metadata" or not inner:
        return True
    column = form.columns.get(whole)
    return (whole in form.parts and "." not in inner) or (inner == "sourcedId" and bool(column and column.refers))


def _wrong(where: str) -> Failure:
    return Failure(400, f"Error in filter query: cannot read {where[:40]!r}")


class _Reading:
    """A filter while it is read, by recursive descent; AND binds closer than OR."""

    def __init__(self, text: str, form: Form) -> None:
        self.text, self.form, self.place = text, form, 0
        self.comparisons = self.depth = 0

    def alternatives(self) -> Condition:
        """Read conditions joined by OR."""
        return self._joined("OR", lambda: self._joined("AND", self._term))

    def _joined(self, word: str, part: Callable[[], Condition]) -> Condition:
        parts = [part()]
        while (token := self._peek()) and token["join"] == word:
            self.place = token.end()
            parts.append(part())
        sql = f" {word} ".join(part.sql for part in parts)
        return Condition(f"({sql})" if len(parts) > 1 else sql, [value for part in parts for value in part.values])

    def _term(self) -> Condition:
        token = self._peek()
        if token is None or token["join"] or token["close"]:
            raise _wrong(self.text[self.place :])
        self.place = token.end()
        if not token["open"]:
            return self._comparison(token)
        self.depth += 1
        if self.depth > DEEPEST:
            raise _wrong("more parentheses")
        condition = self.alternatives()
        self.depth -= 1
        closing = self._peek()
        if closing is None or not closing["close"]:
            raise _wrong(self.text[self.place :])
        self.place = closing.end()
        return condition

    def _peek(self) -> re.Match[str] | None:
        return TOKEN.match(self.text, self.place)

    def _comparison(self, token: re.Match[str]) -> Condition:
        name, operator = token["field"], token["op"]
        self.comparisons += 1
        if self.comparisons > MOST_COMPARISONS:
            raise _wrong("more comparisons")
        if token["bare"] in ("true", "false"):
            raise Failure(422, "A boolean in a filter must be quoted.", filter=name)
        if not is_property(self.form, name):
            raise Failure(400, f"Error in filter query: there is no property {name!r}")
        value = token["bare"] if token["text"] is None else token["text"].replace("''", "'")
        return _compared(self.form, name, operator, value)


def _compared(form: Form, name: str, operator: str, value: str) -> Condition:
    """Compare a property, or any item of a list, with a value as text."""
    if operator == "!=":
        equal = _compared(form, name, "=", value)
        return Condition(f"NOT coalesce({equal.sql}, 0)", equal.values)
    values = [item.strip() for item in value.split(",")] if operator == "@" else [value]
    if name in form.timestamps and operator != "~":
        values = [f"{one}{MIDNIGHT}" if DAY.fullmatch(one) else one for one in values]
    if name in COMMON[:-1] or form.column(name):
        # As it stands, so that SQLite finds its index.
        return Condition(_test(property_sql(name), operator, values), values)
    return _any(name, operator, values)


def _test(subject: str, operator: str, values: list[str]) -> str:
    if operator == "~":
        return f"instr(folded({subject}), folded(?)) > 0"
    if operator == "@":
        return f"{subject} IN ({', '.join('?' * len(values))})"
    return f"{subject} {operator} ?"


def _any(name: str, operator: str, values: list[str]) -> Condition:
    """Test a value of unknown kind as text; of a list its items, and of a list of objects one property of each."""
    whole, _, inner = (name, "", "") if name.startswith("metadata.") else name.partition(".")
    path, item = path_sql(whole), f"json_extract(value, {path_sql(inner)})" if inner else "value"
    items = f"EXISTS (SELECT 1 FROM json_each(body, {path}) WHERE {_test(f'CAST({item} AS TEXT)', operator, values)})"
    own = _test(f"CAST({property_sql(name)} AS TEXT)", operator, values)
    return Condition(f"CASE json_type(body, {path}) WHEN 'array' THEN {items} ELSE {own} END", values * 2)
