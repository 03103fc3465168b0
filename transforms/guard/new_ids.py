"""Records that come under new ids although they are there: people by what is known of them, all else by what it is made of."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from transforms.changes import ACTION, PARENTS
from transforms.checks.references import ids_in
from transforms.guard.context import NAME, GuardContext, with_columns_of
from transforms.guard.holds import CONTACTS, GROUP, VANISHED, Stops, group_of
from transforms.guard.identity import words
from transforms.guard.limits import GuardLimits, LimitReading, allowed

FIRST = 3
# What tells people apart. A birthday and an address alone do not: twins share both.
SIGNS = ("name", "birthDate", "email", "username", "identifier")
NOT_ENOUGH = frozenset({"birthDate", "email"})
# A value that so many people have says nothing of a single one.
MANY = 5
# What each kind of record is made of. With all of it the same, two ids are one record.
MADE_OF: Mapping[str, tuple[str, ...]] = {
    "orgs": ("name", "type", "identifier"),
    "academicSessions": ("title", "type", "startDate", "endDate"),
    "courses": ("title", "courseCode", "orgSourcedId"),
    "classes": ("title", "classCode", "courseSourcedId", "schoolSourcedId", "termSourcedIds"),
    "enrollments": ("userSourcedId", "classSourcedId", "role"),
}
REFERS = {"orgSourcedId": "orgs", "courseSourcedId": "courses", "schoolSourcedId": "orgs", "termSourcedIds": "academicSessions",
          "userSourcedId": "users", "classSourcedId": "classes"}  # fmt: skip
SEAT = ("classSourcedId", "userSourcedId")
# Ids that are made of an address and a name (`transforms/layouts/ids.py`), now and by release 0.1.
MADE_ID = r"/|-[0-9a-f]{32}$"
# Which course a class teaches, and in which terms.
TAUGHT = ("courseSourcedId", "termSourcedIds")
# Per entity, the old id of each new one.
Same = dict[str, dict[str, str]]
# So many records of a kind may be made anew under other ids; of enrollments, as many as may pass to another person.
FEW = 2


def rekeyed(stops: Stops, context: GuardContext, limits: GuardLimits) -> None:
    """Stop what comes under new ids although it is there, and what vanishes for it: it would be there twice."""
    same: Same = {}
    for name in ("orgs", "academicSessions", "users", "courses", "classes", "enrollments"):
        if name in stops.parts and name in context.sent:
            if name == "users":
                _people(stops, context, limits, same)
            else:
                _records(stops, context, limits, name, same)
    schools = {old for entity, old, _, _ in stops.pairs if entity == "orgs"}
    if len(schools) * 2 > context.total("orgs"):
        # It is another district, or another system, throughout.
        said = "What is new and what vanished waits with the schools that have come under new ids."
        stops.stop(
            "follows",
            said,
            *stops.parts,
            removals=pl.lit(value=True),
            upserts=pl.col(ACTION) != "update",
        )


def _people(stops: Stops, context: GuardContext, limits: GuardLimits, same: Same) -> None:
    """Find people by two signs of five; many of them also by one that nobody else has."""
    arrived = stops.created("users")
    new = _signs_of(
        arrived, stops.parts["demographics"].upserts if "demographics" in stops.parts else None
    )
    old = _signs_of(context.sent["users"], context.sent.get("demographics"))
    met = old.join(new, on=["sign", "value"], how="inner", suffix="_new")
    alike = pl.col(GROUP).is_null() | pl.col(GROUP).eq_missing(pl.col(f"{GROUP}_new"))
    met = met.filter(alike & (pl.col("sourcedId") != pl.col("sourcedId_new")))
    shared = (
        met.group_by(GROUP, old="sourcedId", new="sourcedId_new")
        .agg("sign")
        .with_columns(gone=_gone(stops, "users", "old"))
    )
    two = (pl.col("sign").list.len() > 1) & (
        pl.col("sign").list.set_difference(list(NOT_ENOUGH)).list.len() > 0
    )
    known = _without_a_few_contacts(shared.filter(two), context, limits)
    rest = shared.filter(~two).join(known, on="old", how="anti").join(known, on="new", how="anti")
    rest = _without_a_few_contacts(rest, context, limits)
    once = _by_one_sign(rest, arrived.height - known["new"].n_unique())
    _stop_pairs(stops, "users", pl.concat([known, once]), _one_to_one(known), same)


def _without_a_few_contacts(
    pairs: pl.DataFrame, context: GuardContext, limits: GuardLimits
) -> pl.DataFrame:
    """Leave out contacts who are there still, or whose id is made of their address, unless they are many.

    Many systems have a row of a parent for each child, and a parent with another address gets another such id.
    """
    usual = (pl.col(GROUP) == CONTACTS) & (~pl.col("gone") | pl.col("old").str.contains(MADE_ID))
    usual = usual.fill_null(value=False)
    most = allowed(
        context.total("users", CONTACTS), limits.identity_percent, limits.identity_records
    )
    return pairs.filter(~usual) if pairs.filter(usual)["new"].n_unique() <= most else pairs


def _by_one_sign(met: pl.DataFrame, arrived: int) -> pl.DataFrame:
    """People whom one sign tells, if most of those who arrive are such; an address or a birthday tells only who has vanished."""
    telling = pl.col("sign").list.set_difference(list(NOT_ENOUGH)).list.len() > 0
    once = _one_to_one(met.filter(pl.col("gone") | telling))
    return once if once.height > 1 and once.height * 2 > arrived else once.clear()


def _one_to_one(pairs: pl.DataFrame) -> pl.DataFrame:
    """Those pairs of which neither record is in another one."""
    return pairs.filter(~pl.col("old").is_duplicated() & ~pl.col("new").is_duplicated())


def _gone(stops: Stops, name: str, column: str) -> pl.Expr:
    """Whether a full snapshot has no record with the id in a column any more."""
    part = stops.parts[name]
    gone = part.of(*VANISHED, "stay")["sourcedId"]
    return pl.col(column).is_in(gone.implode()) & pl.lit(part.whole)


def _signs_of(people: pl.DataFrame, demographics: pl.DataFrame | None) -> pl.DataFrame:
    """The signs of people: `sourcedId`, what they are, `sign`, `value`; what many share is none."""
    people = with_columns_of(
        people, ["givenName", "familyName", "email", "username", "identifier", "roles", NAME]
    )
    births = with_columns_of(demographics, ["birthDate"])
    people = people.join(births, on="sourcedId", how="left", maintain_order="left")
    full = pl.coalesce(pl.concat_str("givenName", "familyName", separator=" "), NAME)
    name = full.map_elements(_plain, return_dtype=pl.String)
    signs = people.with_columns(group_of(people["roles"]).alias(GROUP), name=name).unpivot(
        SIGNS, index=["sourcedId", GROUP], variable_name="sign"
    )
    signs = signs.drop_nulls("value").with_columns(
        pl.col("value").str.to_lowercase().str.strip_chars()
    )
    return signs.filter(pl.len().over("sign", "value", GROUP) <= MANY)


def _plain(name: str) -> str:
    return " ".join(sorted(words(name)))


def _records(
    stops: Stops, context: GuardContext, limits: GuardLimits, name: str, same: Same
) -> None:
    """Find records that are made of the same, where what they refer to under new ids counts as what it is."""
    columns = MADE_OF[name]
    new = _translated(with_columns_of(stops.created(name), columns), columns, same)
    old = with_columns_of(context.sent[name], columns)
    met = old.join(new, on=list(columns), how="inner", suffix="_new", nulls_equal=True)
    pairs = met.filter(pl.col("sourcedId") != pl.col("sourcedId_new")).select(
        old="sourcedId", new="sourcedId_new"
    )
    pairs = pairs.with_columns(gone=_gone(stops, name, "old"))
    if name == "courses":
        pairs = _of_one_term(pairs, stops, context, same)
    certain = _one_to_one(pairs)
    same[name] = dict(certain.select("new", "old").iter_rows())
    if stops.parts[name].whole and name != "enrollments":
        doubled = (
            _with_the_same_people(stops, context, pairs, same)
            if name == "classes"
            else pairs["new"].clear()
        )
        pairs, certain = (
            one.filter(pl.col("gone") | pl.col("new").is_in(doubled.implode()))
            for one in (pairs, certain)
        )
    count, total, most = pairs["new"].n_unique(), context.total(name), FEW
    if name == "enrollments":
        most = allowed(total, limits.identity_percent, limits.identity_records)
        _with_their_people(stops, same.get("users", {}))
    stops.read(LimitReading("rekeyed", f"{name} under new ids", count, most, total))
    if count > most:
        _stop_pairs(stops, name, pairs, certain, same)


def _with_the_same_people(
    stops: Stops, context: GuardContext, pairs: pl.DataFrame, same: Same
) -> pl.Series:
    """Of classes that look like others which go on beside them: those into which most people of the other one come."""
    if "enrollments" not in stops.parts or pairs.is_empty():
        return pairs["new"].clear()
    new = _translated(with_columns_of(stops.created("enrollments"), SEAT), ("userSourcedId",), same)
    old = context.records("enrollments", *SEAT)
    left, right = (
        pairs.select("old", "new")
        .join(seats.select(SEAT), left_on=side, right_on="classSourcedId", how="inner")
        .unique()
        for side, seats in (("old", old), ("new", new))
    )
    there = left.group_by("new").len("people")
    met = (
        left.join(right, on=["old", "new", "userSourcedId"], how="semi")
        .group_by("new")
        .len("both")
        .join(there, on="new")
    )
    return met.filter(pl.col("both") * 2 > pl.col("people"))["new"]


def _of_one_term(
    pairs: pl.DataFrame, stops: Stops, context: GuardContext, same: Same
) -> pl.DataFrame:
    """Leave out courses that begin in other terms: some sources have a course of its own for each term."""
    if pairs.is_empty() or "classes" not in stops.parts:
        return pairs
    new = _translated(
        with_columns_of(stops.created("classes"), TAUGHT), TAUGHT, {**same, "courses": {}}
    )
    terms = {
        side: _terms_of(frame, side)
        for side, frame in (("old", context.records("classes", *TAUGHT)), ("new", new))
    }
    met = pairs.join(terms["old"], on="old", how="left").join(
        terms["new"], on="new", how="left", maintain_order="left"
    )
    apart = pl.col("terms").list.set_intersection(pl.col("terms_right")).list.len() == 0
    return met.filter(~apart.fill_null(value=False)).select(pairs.columns)


def _terms_of(classes: pl.DataFrame, side: str) -> pl.DataFrame:
    taught = classes.select(
        pl.col("courseSourcedId").alias(side),
        pl.col("termSourcedIds").str.split(",").alias("terms"),
    )
    return taught.drop_nulls().explode("terms").group_by(side).agg(pl.col("terms").unique())


def _translated(frame: pl.DataFrame, columns: tuple[str, ...], same: Same) -> pl.DataFrame:
    """Name what records refer to by its old id."""
    for column in (one for one in columns if same.get(REFERS.get(one, ""))):
        old = same[REFERS[column]]
        items = pl.col(column).str.split(",").list.eval(pl.element().replace(old)).list.join(",")
        frame = frame.with_columns(items.alias(column))
    return frame


def _with_their_people(stops: Stops, people: Mapping[str, str]) -> None:
    """Let the enrollments of people with new ids wait, so that nobody is without classes meanwhile."""
    part = stops.parts["enrollments"]
    if not people or PARENTS not in part.removals.columns:
        return
    theirs = ids_in(pl.col(PARENTS), "users").list.first().is_in(list(people.values()))
    stops.stop(
        "follows",
        "enrollments wait with people who have come under new ids.",
        "enrollments",
        removals=theirs,
    )


def _stop_pairs(
    stops: Stops, name: str, pairs: pl.DataFrame, certain: pl.DataFrame, same: Same
) -> None:
    if pairs.is_empty():
        return
    sure = set(certain.select("old", "new").iter_rows())
    same[name] = same.get(name, {}) | {new: old for old, new in sure}
    rows = pairs.select("old", "new").sort("old", "new").rows()
    stops.pairs += [(name, old, new, (old, new) in sure) for old, new in rows]
    gone, new_ids = (pl.col("sourcedId").is_in(pairs[side].implode()) for side in ("old", "new"))
    rule = "renumbered" if name == "users" else "rekeyed"
    sentence = _sentence(name, rows, len(sure), gone=bool(pairs["gone"].all()))
    if name == "enrollments" and any(entity in ("users", "classes") for entity, *_ in stops.pairs):
        rule, sentence = (
            "follows",
            f"{pairs['new'].n_unique():,} enrollments wait with the people and classes that have come under new ids.",
        )
    stops.stop(rule, sentence, name, removals=gone, upserts=new_ids & (pl.col(ACTION) == "create"))


def _sentence(name: str, pairs: list[tuple[str, str]], sure: int, *, gone: bool) -> str:
    count = len({new for _, new in pairs})
    first = ", ".join(f"{old} is now {new}" for old, new in pairs[:FIRST])
    more = f", and {len(pairs) - FIRST:,} more" if len(pairs) > FIRST else ""
    there = "vanished and came again" if gone else "are there and came again"
    lines = (
        " If they are the same, keep ids.csv, which lies beside the plan, and name it as `ids` in the feed's file: the target keeps the old ids."
        if sure
        else ""
    )
    doubt = (
        f" {len(pairs) - sure:,} pairs are in doubt: ids_in_doubt.csv lists them; say in ids.csv (old,new) which are the same."
        if len(pairs) > sure
        else ""
    )
    return (
        f"{count:,} {name} {there} under new ids ({first}{more}), and would be there twice.{lines}{doubt} "
        "If they are others, approve."
    )
