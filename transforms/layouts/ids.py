"""Ids that the source does not have: made from the data that identifies a record.

They are readable and the same every night, and never use row numbers. An id is its kind and its
parts with `/` between them: `course/elm/MATH101`. Each byte of a character that ids must not have,
and of `/` and `@`, is written as `@` and two hexadecimal digits, so that different parts never make
the same id. An id that would be too long ends in a digest. Ids made from personal data are digests
(`DigestIds`).
"""

from __future__ import annotations

import hmac
import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256

import polars as pl

from transforms.names import without_accents
from transforms.renamed_ids import RenamedIds
from transforms.roster import Roster, Table
from transforms.schemas import Column

LONGEST = 200
# Stands for the org above all others until that is known; no id can contain `#`.
DISTRICT = "#district"
_ESCAPED = re.compile(r"[^0-9A-Za-z.\-_]")
_ALLOWED = re.compile(r"[0-9A-Za-z.\-_/@]+")
# What `escape` makes of a character: one byte, or several bytes beyond ASCII.
ESCAPE = r"@(?:[01][0-9a-f]|2[0-9a-cf]|3[a-f]|40|5[b-e]|60|7[b-f]|[c-f][0-9a-f]@[89ab][0-9a-f])"
_ESCAPE = re.compile(ESCAPE)


def make_id(kind: str, parts: list[pl.Expr], needs: int) -> pl.Expr:
    """Make an id from a kind and parts.

    It is blank if one of the first `needs` parts is blank. Further blank parts are left out.
    """

    def cut(keys: pl.Series) -> pl.Series:
        long = keys.filter((keys.str.len_bytes() > LONGEST).fill_null(value=False)).unique()
        return keys.replace({one: shorten(one) for one in long}) if long.len() else keys

    # The same text with composed and with decomposed accents makes the same id.
    whole = make_full_id(kind, [part.str.normalize("NFC") for part in parts], needs)
    return whole.map_batches(cut, return_dtype=pl.String, is_elementwise=True)


def make_full_id(kind: str, parts: list[pl.Expr], needs: int) -> pl.Expr:
    """Make an id as `make_id` does, of any length."""
    pieces = [pl.lit(kind), *(escape_cells(part) for part in parts)]
    whole = pl.concat_str(pieces, separator="/", ignore_nulls=True)
    if needs == 0:
        return whole
    return pl.when(pl.all_horizontal(part.is_not_null() for part in parts[:needs])).then(whole)


def make_ids(kind: str, items: str) -> str:
    """Make a list of ids with one part each from a list of items."""
    return ",".join(f"{kind}/{escape(item)}" for item in items.split(",") if item)


def escape_cells(cell: pl.Expr) -> pl.Expr:
    """Escape the characters of a part that ids must not have."""

    def escape_all(cells: pl.Series) -> pl.Series:
        cells = cells.str.strip_chars()
        unsafe = cells.filter(cells.str.contains(_ESCAPED.pattern).fill_null(value=False)).unique()
        return cells.replace({one: escape(one) for one in unsafe}) if unsafe.len() else cells

    return cell.map_batches(escape_all, return_dtype=pl.String, is_elementwise=True)


def escape(part: str) -> str:
    """Escape the characters of one part that ids must not have."""
    return _ESCAPED.sub(lambda match: "".join(f"@{byte:02x}" for byte in match[0].encode()), part)


def escape_source_id(sourced_id: str) -> str:
    """Write an id of the source so that OneRoster allows it, and no two ids become one.

    Escaped are ids with other characters than OneRoster allows, and ids that look escaped: these
    contain no `/`, so they are never equal to a derived id. All other ids stay as they are.
    """
    if _ALLOWED.fullmatch(sourced_id) and not _looks_escaped(sourced_id):
        return sourced_id
    return escape(sourced_id)


def unescape_source_id(sourced_id: str) -> str:
    """Return the id as the source writes it."""
    return _unescaped(sourced_id) if _looks_escaped(sourced_id) else sourced_id


def escape_refused_id(sourced_id: str) -> str:
    """Write an id that OneRoster does not allow as `escape_source_id` does.

    All other ids stay as they are, also those that look escaped: they may have been loaded so.
    """
    return sourced_id if _ALLOWED.fullmatch(sourced_id) else escape(sourced_id)


def source_spelling(sourced_id: str) -> str:
    """Return an escaped id as the source writes it, and any other id as it is."""
    plain = unescape_source_id(sourced_id)
    return plain if escape_source_id(plain) == sourced_id else sourced_id


def spellings(sourced_id: str) -> tuple[str, ...]:
    """Return what a person may mean by an id, the likeliest first.

    Records have the id itself or, if it is as the source spells it, the escaped one. An id that
    OneRoster does not allow is only of records that were rejected.
    """
    escaped = escape_source_id(sourced_id)
    allowed = _ALLOWED.fullmatch(sourced_id) is not None
    both = (sourced_id, escaped) if allowed else (escaped, sourced_id)
    return tuple(dict.fromkeys(both))


def _looks_escaped(sourced_id: str) -> bool:
    return "/" not in sourced_id and _ESCAPE.search(sourced_id) is not None


def shorten(key: str) -> str:
    """Return an id as it is, or, if it is too long, its beginning and a digest of it."""
    if len(key.encode()) <= LONGEST:
        return key
    return f"{key[: LONGEST - 33]}-{sha256(key.encode()).hexdigest()[:32]}"


def add_prefix(roster: Roster, prefix: str) -> Roster:
    """Write the prefix before each sourcedId and each reference to a record."""
    if not prefix:
        return roster
    tables = {name: _prefixed(table, prefix) for name, table in roster.tables.items()}
    renamed = {
        (entity, prefix + new): prefix + was for (entity, new), was in roster.renamed.items()
    }
    moved = {
        prefix + one: course and prefix + course for one, course in roster.cross_listed.items()
    }
    return replace(roster, tables=tables, renamed=renamed, cross_listed=moved)


def in_source_ids(renamed: RenamedIds, prefix: str) -> RenamedIds:
    """Return changed ids as the source writes them: without the prefix, and not escaped."""

    def source_id(sourced_id: str) -> str:
        return unescape_source_id(sourced_id.removeprefix(prefix))

    return {(entity, source_id(new)): source_id(was) for (entity, new), was in renamed.items()}


def _prefixed(table: Table, prefix: str) -> Table:
    columns = [
        column
        for column in table.entity.current
        if column.is_id and column.name in table.frame.columns
    ]
    frame = table.frame.with_columns(_prefixed_column(column, prefix) for column in columns)
    lost = table.lost.with_columns((pl.lit(prefix) + pl.col("sourcedId")).alias("sourcedId"))
    return replace(table, frame=frame, lost=lost)


def _prefixed_column(column: Column, prefix: str) -> pl.Expr:
    cell = pl.col(column.name)
    if not column.is_list:
        return (pl.lit(prefix) + cell).alias(column.name)
    return (
        cell.str.split(",")
        .list.eval(pl.lit(prefix) + pl.element().str.strip_chars())
        .list.join(",")
        .alias(column.name)
    )


DIGEST_LENGTH = 32  # hexadecimal digits of a digest
DIGEST = rf"-[0-9a-f]{{{DIGEST_LENGTH}}}$"
_ESCAPES = re.compile(r"(?:@[0-9a-f]{2})+")
_BEYOND_ASCII = re.compile(r"@[c-f][0-9a-f]")


@dataclass(frozen=True)
class DigestIds:
    """How the ids of one feed are made from personal data.

    `id_of` converts a readable id, as `make_id` makes it, to the id that the target gets.
    """

    # Makes the digests of this district different from all others; may be a secret.
    salt: str = field(default="", repr=False)
    # The readable ids that the target already has, with the prefix.
    sent: frozenset[str] = field(default=frozenset(), repr=False)
    # SHA-256 digests of the ids of erased people, with the prefix.
    forgotten: frozenset[str] = field(default=frozenset(), repr=False)
    prefix: str = ""
    # Digests that the target already has, with the prefix.
    digests: frozenset[str] = field(default=frozenset(), repr=False)
    # Readable id -> id.
    _made: dict[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)
    # Readable id without accents -> the digest of a spelling with accents that was sent.
    _accented: dict[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def made(self) -> bool:
        """Whether any id was made."""
        return bool(self._made)

    @property
    def ids(self) -> frozenset[str]:
        """The ids that were made."""
        return frozenset(self._made.values())

    def ids_of(self, readable: Collection[str]) -> dict[str, str]:
        """Return the id for each of several readable ids.

        Spellings with accents come first: if one of them was sent, the others get its id.
        """
        in_order = sorted(readable, key=lambda one: _BEYOND_ASCII.search(one) is None)
        return {one: self.id_of(one) for one in in_order}

    def id_of(self, readable: str) -> str:
        """Return the id for a readable id.

        It is the readable id that was sent before, if there is one for the same parts in any
        spelling; otherwise, a digest.
        """
        if readable not in self._made:
            self._made[readable] = self._id_of(readable)
        return self._made[readable]

    def _id_of(self, readable: str) -> str:
        earlier = self.prefix + shorten(readable)
        if earlier in self.sent:
            return earlier.removeprefix(self.prefix)
        plain = plain_form(self.prefix + readable)
        if plain in self._sent_by_plain_id:
            return self._sent_by_plain_id[plain].removeprefix(self.prefix)
        for known in (earlier, plain):
            # An erased person keeps this id, by which the record is left out.
            if self.forgotten and _sha256(known) in self.forgotten:
                return known.removeprefix(self.prefix)
        return self._digest_of(plain_form(readable) if self.prefix else plain)

    def _digest_of(self, plain: str) -> str:
        """Return the digest of a plain form without its accents.

        A digest with accents stays if it was sent, or if it is that of an erased person.
        """
        digest, bare = self._digest(plain), bare_form(plain)
        if self.prefix + digest in self.digests or _sha256(self.prefix + digest) in self.forgotten:
            self._accented.setdefault(bare, digest)
            return digest
        return self._accented.get(bare) or self._digest(bare)

    def _digest(self, plain: str) -> str:
        digest = hmac.digest(self.salt.encode(), plain.encode(), "sha256").hex()
        return f"{plain.partition('/')[0]}-{digest[:DIGEST_LENGTH]}"

    @cached_property
    def _sent_by_plain_id(self) -> dict[str, str]:
        """Ids that were sent, by their plain form; of several, the first in order."""
        return {plain_form(one): one for one in sorted(self.sent, reverse=True)}


def plain_form(readable: str) -> str:
    """Return the form that all spellings of a readable id share.

    Accents are composed, letters are in lower case, and spaces are single.
    """
    kind, *parts = readable.split("/")
    return "/".join([kind, *(escape(_plain_part(_unescaped(part))) for part in parts)])


def bare_form(plain: str) -> str:
    """Return a plain form without accents."""
    if "@" not in plain:
        return plain
    kind, *parts = plain.split("/")
    return "/".join([kind, *(escape(without_accents(_unescaped(part))) for part in parts)])


def _plain_part(part: str) -> str:
    if part.isascii():
        return " ".join(part.lower().split())
    return unicodedata.normalize(
        "NFC", " ".join(unicodedata.normalize("NFC", part).casefold().split())
    )


def _unescaped(part: str) -> str:
    if "@" not in part:
        return part
    return _ESCAPES.sub(
        lambda match: bytes.fromhex(match[0].replace("@", "")).decode(errors="replace"), part
    )


def _sha256(sourced_id: str) -> str:
    return sha256(sourced_id.encode()).hexdigest()


# Anything in a text that could be an id.
_ID = re.compile(r"[0-9A-Za-z.\-_@/]+")
# Personal data in an id: the name of a contact (as release 0.1 wrote ids), or an email address.
_NAME = re.compile(r"[\w.\-@]*?(?:contact|guardian)/[^/]+/.+", re.ASCII)
_ADDRESS = re.compile(r"[^@\s]@[^@\s]+\.[^@\s]")


def redact_ids(text: str) -> str:
    """Redact the ids in a text that contain names or email addresses.

    An id becomes `contact/…` and the beginning of its digest, which keeps ids distinct.
    """
    return _ID.sub(lambda match: _redact(match[0]), text) if "/" in text else text


def _redact(run: str) -> str:
    sourced_id = run.rstrip(".")
    if not _is_personal(sourced_id):
        return run
    kind = sourced_id.partition("/")[0]
    return f"{kind}/…{_sha256(sourced_id)[:8]}{run[len(sourced_id) :]}"


def _is_personal(sourced_id: str) -> bool:
    """Whether an id, or an id that is a part of it, contains a name or an email address."""
    if "/" not in sourced_id:
        return False
    parts = [(part, _unescaped(part)) for part in sourced_id.split("/")]
    return _NAME.fullmatch(sourced_id) is not None or any(
        part != text and (_ADDRESS.search(text) or _is_personal(text)) for part, text in parts
    )
