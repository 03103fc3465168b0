"""Ids that a layout lacks, made of what a record is known by: readable, the same every night, never of row numbers.

An id is its kind and its parts with `/` between them: `course/elm/MATH101`. A sign that ids may not have, and `/`
and `@` themselves, are written as `@` and two hexadecimal digits for each byte, so that different parts never make
one id. Ids that would be too long end in a digest.
"""

from __future__ import annotations

import hmac
import re
import unicodedata
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256

import polars as pl

from transforms.renamed_ids import Renamed
from transforms.roster import Roster, Table
from transforms.schemas import Column

LONGEST = 200
# Stands for the organisation above all others until it is known; no id can have this sign.
DISTRICT = "#district"
_ODD = re.compile(r"[^0-9A-Za-z.\-_]")


def key_of(kind: str, parts: list[pl.Expr], needs: int) -> pl.Expr:
    """The id that parts make; blank if one of the first `needs` is. Blank parts after those are left out."""
    return _short(whole_key_of(kind, parts, needs))


def whole_key_of(kind: str, parts: list[pl.Expr], needs: int) -> pl.Expr:
    """The same, however long."""
    pieces = [pl.lit(kind), *(escaped(part) for part in parts)]
    whole = pl.concat_str(pieces, separator="/", ignore_nulls=True)
    if needs == 0:
        return whole
    return pl.when(pl.all_horizontal(part.is_not_null() for part in parts[:needs])).then(whole)


def keys_of(kind: str, items: str) -> str:
    """The ids of one part each that a list makes."""
    return ",".join(f"{kind}/{written(item)}" for item in items.split(",") if item)


def escaped(cell: pl.Expr) -> pl.Expr:
    """A part of an id, with nothing in it that ids may not have."""

    def write(cells: pl.Series) -> pl.Series:
        cells = cells.str.strip_chars()
        odd = cells.filter(cells.str.contains(_ODD.pattern).fill_null(value=False)).unique()
        return cells.replace({value: written(value) for value in odd}) if odd.len() else cells

    return cell.map_batches(write, return_dtype=pl.String, is_elementwise=True)


def written(part: str) -> str:
    """Write one part of an id."""
    return _ODD.sub(lambda found: "".join(f"@{byte:02x}" for byte in found[0].encode()), part)


def short(key: str) -> str:
    """An id as it is, or, if it is too long, its beginning and a digest of it."""
    return (
        key
        if len(key.encode()) <= LONGEST
        else f"{key[: LONGEST - 33]}-{sha256(key.encode()).hexdigest()[:32]}"
    )


def _short(key: pl.Expr) -> pl.Expr:
    def cut(keys: pl.Series) -> pl.Series:
        long = keys.filter((keys.str.len_bytes() > LONGEST).fill_null(value=False)).unique()
        return keys.replace({one: short(one) for one in long}) if long.len() else keys

    return key.map_batches(cut, return_dtype=pl.String, is_elementwise=True)


def prefixed(roster: Roster, prefix: str) -> Roster:
    """Write the prefix before each sourcedId and each reference to one."""
    if not prefix:
        return roster
    tables = {name: _prefixed(table, prefix) for name, table in roster.tables.items()}
    renamed = {
        (entity, prefix + new): prefix + was for (entity, new), was in roster.renamed.items()
    }
    return replace(roster, tables=tables, renamed=renamed)


def without_prefix(renamed: Renamed, prefix: str) -> Renamed:
    """Give renamed ids, which are kept as the target knows them, as the source writes them."""
    return {
        (entity, new.removeprefix(prefix)): was.removeprefix(prefix)
        for (entity, new), was in renamed.items()
    }


def _prefixed(table: Table, prefix: str) -> Table:
    columns = [
        column
        for column in table.entity.current
        if column.is_id and column.name in table.frame.columns
    ]
    frame = table.frame.with_columns(_with(column, prefix) for column in columns)
    return replace(
        table,
        frame=frame,
        lost=table.lost.with_columns((pl.lit(prefix) + pl.col("sourcedId")).alias("sourcedId")),
    )


def _with(column: Column, prefix: str) -> pl.Expr:
    cell = pl.col(column.name)
    if not column.is_list:
        return (pl.lit(prefix) + cell).alias(column.name)
    return (
        cell.str.split(",")
        .list.eval(pl.lit(prefix) + pl.element().str.strip_chars())
        .list.join(",")
        .alias(column.name)
    )


LENGTH = 32
_WRITTEN = re.compile(r"(?:@[0-9a-f]{2})+")


@dataclass(frozen=True)
class Digests:
    """How the ids of one feed are made of personal data.

    `salt` makes them those of this district alone; it may be a secret. `sent` are the readable ids that the target was sent,
    and `forgotten` the digests (SHA-256) of ids that are left out, both with the `prefix` of the feed.
    """

    salt: str = field(default="", repr=False)
    sent: frozenset[str] = field(default=frozenset(), repr=False)
    forgotten: frozenset[str] = field(default=frozenset(), repr=False)
    prefix: str = ""
    _made: dict[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def made(self) -> bool:
        """Whether any id was asked for."""
        return bool(self._made)

    def id_of(self, readable: str) -> str:
        """The id for a readable one: one that was sent already, for this or for the same in another spelling, or a digest."""
        if readable not in self._made:
            self._made[readable] = self._id_of(readable)
        return self._made[readable]

    def _id_of(self, readable: str) -> str:
        was = self.prefix + short(readable)
        if was in self.sent:
            return was.removeprefix(self.prefix)
        alike = plainly(self.prefix + readable)
        if alike in self._alike:
            return self._alike[alike].removeprefix(self.prefix)
        for known in (was, alike):  # it keeps that id, by which it is left out
            if self.forgotten and _digest(known) in self.forgotten:
                return known.removeprefix(self.prefix)
        plain = plainly(readable) if self.prefix else alike
        made = hmac.digest(self.salt.encode(), plain.encode(), "sha256").hex()
        return f"{readable.partition('/')[0]}-{made[:LENGTH]}"

    @cached_property
    def _alike(self) -> dict[str, str]:
        """What was sent, by what all its spellings have in common; of several the first in order."""
        return {plainly(one): one for one in sorted(self.sent, reverse=True)}


def plainly(readable: str) -> str:
    """A readable id as all spellings of its parts have it: composed accents, lower case, and single spaces."""
    kind, *parts = readable.split("/")
    return "/".join(
        [
            kind,
            *(
                written(_plain(_WRITTEN.sub(_read, part) if "@" in part else part))
                for part in parts
            ),
        ]
    )


def _plain(part: str) -> str:
    if part.isascii():
        return " ".join(part.lower().split())
    return unicodedata.normalize(
        "NFC", " ".join(unicodedata.normalize("NFC", part).casefold().split())
    )


def _read(found: re.Match[str]) -> str:
    return bytes.fromhex(found[0].replace("@", "")).decode(errors="replace")


def _digest(sourced_id: str) -> str:
    return sha256(sourced_id.encode()).hexdigest()


# A run of the signs of ids.
_RUN = re.compile(r"[0-9A-Za-z.\-_@/]+")
# What can be read in one: the name of a contact, as release 0.1 wrote it there, or an address.
_NAME = re.compile(r"[\w.\-@]*?(?:contact|guardian)/[^/]+/.+", re.ASCII)
_ADDRESS = re.compile(r"[^@\s]@[^@\s]+\.[^@\s]")


def discreet(text: str) -> str:
    """Shorten the ids in a text in which names or addresses can be read: to `contact/…`, and a digest to tell them apart."""
    return _RUN.sub(lambda run: _short_of(run[0]), text) if "/" in text else text


def _short_of(run: str) -> str:
    one = run.rstrip(".")
    if not _is_readable(one):
        return run
    return f"{one.partition('/')[0]}/…{_digest(one)[:8]}{run[len(one) :]}"


def _is_readable(sourced_id: str) -> bool:
    """Whether an id that is made of something, or an id of which it is made, has a name or an address in it."""
    if "/" not in sourced_id:
        return False
    parts = [(part, _WRITTEN.sub(_read, part)) for part in sourced_id.split("/") if "@" in part]
    return _NAME.fullmatch(sourced_id) is not None or any(
        part != said and (_ADDRESS.search(said) or _is_readable(said)) for part, said in parts
    )
