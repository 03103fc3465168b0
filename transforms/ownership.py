"""Records that several feeds of one target have, such as a teacher of two districts' schools.

The rule, for the feeds of one ledger and one target:

1. A record that any of these feeds has sent is ours. It is never foreign to another one.
2. The feeds that have a record now stand in an order. The feeds that `[shared] owner` names come
   first, in that order. The others follow in the order in which they first sent the record. A feed
   that this one seems to have replaced has nothing. An idle one comes last, and loses nothing.
3. A column belongs to the first feed in the order that fills it. A role or a user profile belongs
   to the first feed that has it. Every other feed leaves it alone. A password belongs to the first
   feed, whether it has one or not.
4. A feed that no longer has the record loses its place, and removes what only it had: columns,
   roles and profiles. What belonged to it and others have too passes to the next of them. Only the
   last feed's policy for missing records decides about the record itself.

The ledger stores what rule 3 needs, for each feed and record: the feed's `turn` in the order, the
columns that it fills, its `items` (the roles and profiles that it has), and what of both it
`yields` to other feeds. Each feed decides on its own row alone, by the rows of the others:

- It yields a column only to a feed whose row says that it sends it. So somebody always sends it.
- It sends an unchanged record again only if it has sent less than what belongs to it now, or if
  another feed has sent what belongs to it since (`seen`, `gave`), and only if the feeds differ in
  what they say of the record. Otherwise, a change of its share is written into the ledger alone.
- A row without `yields` is of a time when no other feed had the record, or of an earlier release.
  What two such feeds have sent stays until one of them changes it.

So the target ends in the same state whatever the order of the nights, and after a run that was
killed; and a feed that joins costs the others nothing.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, NamedTuple

import polars as pl

from transforms.changes import ACTIVE
from transforms.payload import Json, Part, parts_as_json, read_parts, write_parts
from transforms.schemas import ENTITIES, Entity

# Columns of records to be sent, for the ledger.
TURN, ITEMS, YIELDS = "#turn", "#items", "#yields"
SHARING = (TURN, ITEMS, YIELDS)
# What the ledger has of a shared record, a row for each feed: the feed's name and number, and its
# own `status`, `fields`, `items`, `yields`, `parents`, `run`, `turn` and `fingerprint`.
CLAIMS: dict[str, type[pl.DataType]] = {
    "feed": pl.String,
    "number": pl.Int64,
    **dict.fromkeys(("status", "fields", "items", "yields", "parents", "run"), pl.String),
    "turn": pl.Int64,
    "fingerprint": pl.Int64,
}
# The kinds of parts that are shared item by item, and the cells that identify an item.
SHARED_PARTS: Mapping[str, tuple[str, ...]] = {
    "roles": ("orgSourcedId", "role"),
    "userProfiles": ("sourcedId",),
}
# How many answers are kept: most records are shared in one of a few ways.
MOST = 100_000
# The number of a feed that has no row yet: it comes after all others.
LAST = 2**31
# The keys of `yields` beside the kinds of items: columns; those among them that this feed has sent
# last, when they belonged to it; and by feed number the runs in which other feeds sent what belongs
# to this one, before it sent that again.
COLUMNS, GAVE, SEEN = "columns", "gave", "seen"
# The `yields` of a feed that knows of others, and leaves them nothing.
NOTHING = "{}"
PASSWORDS = frozenset(
    column.name for entity in ENTITIES.values() for column in entity.columns if column.secret
)
# An item: its kind of part, and the values of the cells that identify it.
Item = tuple[str, tuple[str, ...]]


def no_claims() -> pl.DataFrame:
    """Return what the ledger has of no record at all."""
    return pl.DataFrame(schema={"sourcedId": pl.String, **CLAIMS})


def is_named(feed: str, name: str) -> bool:
    """Whether a name in `[shared] owner` means a feed: its own, its district's or its file's."""
    return feed == name or feed.startswith(f"{name}/") or feed.endswith(f"/{name}")


@dataclass(frozen=True)
class FeedOrder:
    """How the feeds of a target share records, as one feed sees it."""

    feed: str = ""  # its own name
    owners: tuple[str, ...] = ()  # `[shared] owner`: names of feeds, districts or feed files
    # Feeds that have the same people and no longer run since this one reads the same drops: it is
    # this one under an earlier name.
    replaced: frozenset[str] = frozenset()
    # Other feeds that have the same people and have not run for long.
    idle: frozenset[str] = frozenset()
    alone: bool = True  # no other feed has ever loaded into the target

    def named(self, feed: str) -> int | None:
        """Return a feed's turn by the setting, which is negative; None if it is not named."""
        for place, name in enumerate(self.owners):
            if is_named(feed, name):
                return place - len(self.owners)
        return None


class Claim(NamedTuple):
    """What one feed has of a record."""

    feed: str
    number: int
    status: str
    fields: str
    items: str
    yields: str
    parents: str
    run: str
    turn: int
    # Whether the feed says of the record exactly what this feed says.
    same: bool = False


@dataclass(frozen=True)
class Share:
    """What a feed sends of a record, and what it leaves to the other feeds that have it."""

    turn: int = 0
    # What the ledger stores: the columns and items that belong to other feeds, and what of theirs
    # is overwritten once this feed has sent the record.
    yields: str = NOTHING
    # Columns that other feeds have. They are never cleared.
    taken: frozenset[str] = frozenset()
    # Columns that feeds have filled which no longer have the record. Blank ones are cleared.
    lost: frozenset[str] = frozenset()
    # The items of other feeds that have the record. They are never removed.
    others: frozenset[Item] = frozenset()
    # The columns that belong to other feeds, whether this feed fills them or not.
    above: frozenset[str] = frozenset()
    # Whether the record must be sent, although this feed says the same of it as before.
    outdated: bool = False
    # The `yields` to store if the record is not sent; None if the ledger's row says all of it.
    noted: str | None = None

    @property
    def columns(self) -> frozenset[str]:
        """The columns that belong to other feeds."""
        return _columns_of(self.yields)

    @property
    def items(self) -> frozenset[Item]:
        """The items that belong to other feeds."""
        return items_of(self.yields)


@dataclass(frozen=True)
class SharedRecords:
    """The rows of the ledger about shared records of one entity, by id."""

    order: FeedOrder
    claims: Mapping[str, Sequence[Claim]] = field(default_factory=dict)

    @classmethod
    def of(cls, entity: str, rows: pl.DataFrame, order: FeedOrder) -> SharedRecords:
        """Group the ledger's rows (`sourcedId` and `CLAIMS`) by record."""
        if entity != "users":  # only users have items
            rows = rows.with_columns(parents=pl.lit(""))
        own = rows.filter(feed=order.feed).select("sourcedId", "fingerprint")
        rows = rows.join(own, on="sourcedId", how="left", suffix="_own", maintain_order="left")
        same = (pl.col("fingerprint") == pl.col("fingerprint_own")).fill_null(value=False)
        claims: dict[str, list[Claim]] = {}
        for one, *cells in rows.select("sourcedId", *Claim._fields[:-1], same=same).iter_rows():
            claims.setdefault(one, []).append(Claim(*cells))
        return cls(order, claims)

    def elsewhere(self) -> list[str]:
        """Return the ids of the records that other feeds have now."""
        return [
            one
            for one, rows in self.claims.items()
            if any(row.feed != self.order.feed and _has(row, self.order) for row in rows)
        ]

    def only_own(self, sourced_id: str) -> tuple[frozenset[str], frozenset[Item]]:
        """Return the columns and items of a record that this feed has, and no other one.

        None if another feed says the same of it.
        """
        rows = self.claims.get(sourced_id, ())
        own = [one for one in rows if one.feed == self.order.feed]
        others = [one for one in rows if one.feed != self.order.feed and _has(one, self.order)]
        if any(one.same for one in others):
            return frozenset(), frozenset()
        theirs, columns = _all_items(others), _all_columns(others)
        return (
            frozenset(one for one in _filled(own) if not _overlaps(one, columns)),
            frozenset(one for one in _all_items(own) if not _has_item(theirs, one)),
        )

    def share(self, sourced_id: str, columns: Collection[str], items: str) -> Share:
        """Return this feed's share of a record with these filled columns and these items."""
        rows = self.claims.get(sourced_id, ())
        return share(self.order, tuple(rows), frozenset(columns), items)


@lru_cache(MOST)
def share(order: FeedOrder, rows: tuple[Claim, ...], columns: frozenset[str], items: str) -> Share:
    """Decide what a feed sends of a record, and what it leaves. `rows` are those of all feeds."""
    own = next((one for one in rows if one.feed == order.feed), None)
    others = [one for one in rows if one.feed != order.feed]
    here = [one for one in others if _has(one, order)]
    had = _all_columns(here)
    turn, above = _place(own, here, order)
    columns -= {"sourcedId", *SHARED_PARTS}
    belongs = _filled(above) | (PASSWORDS if above else frozenset())
    theirs = _all_items(above)
    yielded = frozenset(one for one in columns if _is_among(one, belongs))
    leaves = frozenset(one for one in items_of(items) if _has_item(theirs, one))
    sends, keeps = columns - yielded, items_of(items) - leaves
    over = [one for one in others if not one.same and _overwrites(one, sends, keeps)]
    lost = [one for one in others if one not in here and _filled([one]) - had]
    unseen = [one for one in lost if not (own and own.status == ACTIVE and _is_seen(one, own))]
    gave = _gave(own, yielded, above)
    found = Share(
        turn,
        _write(yielded, leaves, gave, {one.number: one.run for one in (*over, *lost)}),
        taken=had,
        lost=_filled(unseen) - had,
        others=_all_items(here),
        above=_filled(above),
    )
    if own is None or own.status != ACTIVE:
        return found
    # A row without `yields` does not know which feed has sent a column last.
    over = [one for one in over if (own.yields or one.yields) and not _is_seen(one, own)]
    more = sends & _columns_of(own.yields) or keeps & items_of(own.yields)
    differ = not others or any(not one.same for one in others)
    noted = _write(yielded, leaves, gave, _seen_before(own, others, sends, keeps))
    return replace(
        found,
        outdated=bool(over) or bool(more and differ),
        noted=None if (own.turn, own.yields, own.items) == (turn, noted, items) else noted,
    )


def _place(own: Claim | None, here: Sequence[Claim], order: FeedOrder) -> tuple[int, list[Claim]]:
    """Return this feed's turn, and the feeds before it. Idle feeds are not in the order."""
    running = [one for one in here if one.feed not in order.idle]
    turn = _turn(own, running, order)
    place = (turn, own.number if own else LAST)
    return turn, [one for one in running if (one.turn, one.number) < place]


def _has(claim: Claim, order: FeedOrder) -> bool:
    return claim.status == ACTIVE and claim.feed not in order.replaced


def _turn(own: Claim | None, here: Sequence[Claim], order: FeedOrder) -> int:
    """Return this feed's turn: by the setting, as before, or after all who have the record.

    A feed that the setting does not name comes after those that it names.
    """
    named = order.named(order.feed)
    if named is not None:
        return named
    after = max([0, *(one.turn + 1 for one in here if order.named(one.feed) is not None)])
    if own is not None and own.status == ACTIVE and own.turn >= 0:
        return max(own.turn, after)
    return max([0, *(one.turn + 1 for one in here)])


def _filled(claims: Iterable[Claim]) -> frozenset[str]:
    """Return the columns that feeds have sent of a record, parts left out."""
    names: set[str] = set()
    for one in claims:
        left = _columns_of(one.yields)
        names.update(name for name in one.fields.split(",") if not _overlaps(name, left))
    return frozenset(names - {"", "sourcedId", *SHARED_PARTS})


def _all_columns(claims: Iterable[Claim]) -> frozenset[str]:
    """Return the columns that feeds have of a record, also those that belong to others."""
    names = {name for one in claims for name in one.fields.split(",")}
    return frozenset(names - {"", "sourcedId", *SHARED_PARTS})


def _all_items(claims: Iterable[Claim]) -> frozenset[Item]:
    return frozenset[Item]().union(*map(_items, claims))


def _has_item(items: frozenset[Item], item: Item) -> bool:
    """Return whether an item is among others, of which some may be the organization alone."""
    name, values = item
    return item in items or (len(values) > 1 and (name, values[:1]) in items)


def _overwrites(claim: Claim, columns: frozenset[str], items: frozenset[Item]) -> bool:
    """Return whether a feed has sent columns or items that belong to this one."""
    filled = _filled([claim]) | _columns_of(claim.yields, GAVE)
    sent = items_of(claim.items) - items_of(claim.yields)
    return bool(sent & items) or any(_is_among(one, filled) for one in columns)


def _gave(own: Claim | None, yielded: frozenset[str], above: Sequence[Claim]) -> frozenset[str]:
    """Return the yielded columns that this feed sent last: the others have not sent them since."""
    if own is None or own.status != ACTIVE or not own.yields:
        return frozenset()
    if any(_is_seen(own, one) for one in above):
        return frozenset()
    sent = _filled([own]) | _columns_of(own.yields, GAVE)
    return frozenset(one for one in yielded if _is_among(one, sent))


@lru_cache(MOST)
def _seen(yields: str) -> Mapping[str, str]:
    """Return the runs of other feeds whose columns this feed has sent again, by feed number."""
    found: dict[str, str] = json.loads(yields).get(SEEN, {}) if yields else {}
    return found


def _is_seen(claim: Claim, own: Claim) -> bool:
    return _seen(own.yields).get(str(claim.number)) == claim.run


def _seen_before(
    own: Claim, others: Sequence[Claim], columns: frozenset[str], items: frozenset[Item]
) -> dict[int, str]:
    """Return what a feed has seen that sends nothing now.

    If it knew of no other feed until now, it takes what they have sent as it is.
    """
    seen = _seen(own.yields)
    if own.yields:
        return {one.number: seen[str(one.number)] for one in others if str(one.number) in seen}
    return {
        one.number: one.run
        for one in others
        if not (one.same or one.yields) and _overwrites(one, columns, items)
    }


def _is_among(column: str, names: frozenset[str]) -> bool:
    """Return whether a column, or a path in the object that it holds, is among these names."""
    return column in names or any(name.startswith(f"{column}.") for name in names)


def _overlaps(path: str, names: frozenset[str]) -> bool:
    """Return whether a column or path, or a column that holds it, is among these names."""
    return _is_among(path, names) or any(path.startswith(f"{name}.") for name in names)


def _items(claim: Claim) -> frozenset[Item]:
    """Return a feed's items. A row of an earlier release knows only the organizations of roles."""
    if claim.items:
        return items_of(claim.items)
    orgs = (word.partition(":")[2] for word in claim.parents.split() if word.startswith("orgs:"))
    return frozenset(("roles", (org,)) for org in orgs)


@lru_cache(MOST)
def items_of(text: str) -> frozenset[Item]:
    """Read items from the ledger's text."""
    found = json.loads(text) if text else {}
    return frozenset(
        (name, tuple(values))
        for name, items in found.items()
        if name not in (COLUMNS, GAVE, SEEN)
        for values in items
    )


@lru_cache(MOST)
def _columns_of(text: str, key: str = COLUMNS) -> frozenset[str]:
    return frozenset(json.loads(text).get(key, ())) if text else frozenset()


def _write(
    columns: Collection[str],
    items: Collection[Item],
    gave: Collection[str] = (),
    seen: Mapping[int, str] | None = None,
) -> str:
    found: dict[str, Any] = {COLUMNS: sorted(columns)} if columns else {}
    found |= {GAVE: sorted(gave)} if gave else {}
    for name, values in sorted(items):
        found.setdefault(name, []).append(values)
    if seen:
        found[SEEN] = dict(sorted(seen.items()))
    return json.dumps(found, separators=(",", ":"))


def with_items(frame: pl.DataFrame) -> pl.DataFrame:
    """Add the column `ITEMS`: what identifies the roles and profiles of each record."""
    names = [name for name in SHARED_PARTS if name in frame.columns]
    if not names:
        return frame.with_columns(pl.lit(None, pl.String).alias(ITEMS))
    if len(names) == 1:
        cells = frame[names[0]]
        found = {text: _items_text({names[0]: text}) for text in cells.drop_nulls().unique()}
        texts = cells.replace_strict(found, default=None, return_dtype=pl.String)
        return frame.with_columns(texts.alias(ITEMS))
    rows = frame.select(names).iter_rows(named=True)
    return frame.with_columns(pl.Series(ITEMS, [_items_text(row) for row in rows], dtype=pl.String))


def _items_text(cells: Mapping[str, str | None]) -> str | None:
    items = {_item(name, part) for name, text in cells.items() if text for part in read_parts(text)}
    return _write((), items) if items else None


def _item(name: str, part: Part) -> Item:
    return name, tuple(part.get(cell, "") for cell in SHARED_PARTS[name])


def filled_columns(frame: pl.DataFrame) -> list[frozenset[str]]:
    """Return the names of the filled columns of each record."""
    names = [name for name in frame.columns if not name.startswith("#")]
    combined = frame.select(
        pl.concat_str(
            [pl.when(pl.col(name).is_not_null()).then(pl.lit(name)) for name in names],
            separator=",",
            ignore_nulls=True,
        ).alias("names")
    )["names"]
    sets = {text: frozenset(text.split(",")) for text in combined.unique()}
    return [sets[text] for text in combined]


def shares_of(frame: pl.DataFrame, shared: SharedRecords) -> dict[str, Share]:
    """Return this feed's share of each record of a frame that another feed has sent too."""
    rows = frame.filter(pl.col("sourcedId").is_in(list(shared.claims)))
    rows = with_items(rows)
    found = {}
    for one, columns, items in zip(
        rows["sourcedId"], filled_columns(rows.drop(ITEMS)), rows[ITEMS], strict=True
    ):
        found[one] = shared.share(one, columns, items or "")
    return found


def own_share(frame: pl.DataFrame, shares: Mapping[str, Share]) -> pl.DataFrame:
    """Blank what belongs to other feeds, in records to be sent."""
    by_column: dict[str, list[str]] = {}
    for one, part in shares.items():
        for name in part.columns:
            by_column.setdefault(name, []).append(one)
    person = pl.col("sourcedId")
    frame = frame.with_columns(
        pl.when(~person.is_in(ids)).then(pl.col(name)).alias(name)
        for name, ids in by_column.items()
        if name in frame.columns
    )
    cells = [name for name in SHARED_PARTS if name in frame.columns]
    for name in cells if any(part.items for part in shares.values()) else ():
        texts = [
            _without_items(name, text, shares[one].items) if one in shares else text
            for one, text in frame.select("sourcedId", name).iter_rows()
        ]
        frame = frame.with_columns(pl.Series(name, texts, dtype=pl.String))
    return frame


def _without_items(name: str, text: str | None, items: frozenset[Item]) -> str | None:
    if not text or not items:
        return text
    return write_parts(part for part in read_parts(text) if _item(name, part) not in items)


def items_as_json(entity: Entity, items: Collection[Item]) -> Json:
    """Return items as JSON, by property. Each has only the properties that identify it."""
    found: Json = {}
    for name, values in sorted(items):
        cells = dict(zip(SHARED_PARTS[name], values, strict=False))
        text = write_parts([cells]) or ""
        for key, listed in parts_as_json(entity, name, text).items():
            found.setdefault(key, []).extend(listed)
    return found
