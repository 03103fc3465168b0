"""Records that the drop has under new ids, although the target has them already.

People are recognized by what is known about them, other records by what they are made of. Sending
them would duplicate them.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from transforms.changes import ACTION, PARENTS
from transforms.checks.references import parent_ids
from transforms.grammar import agree, count_of
from transforms.guard.context import NAME, GuardContext, with_columns_of
from transforms.guard.holds import CONTACTS, GROUP, REMOVAL_ACTIONS, GuardReview, group_of
from transforms.guard.identity import name_words
from transforms.guard.limits import GuardLimits, LimitReading, most_allowed

FIRST = 3
# The signs of a person. A birthday and an address are not enough: twins share both.
SIGNS = ("name", "birthDate", "email", "username", "identifier")
NOT_ENOUGH = frozenset({"birthDate", "email"})
# A value that more people share says nothing about one of them.
MANY = 5
# What each kind of record is made of. Two ids with all of it in common are one record.
MADE_OF: Mapping[str, tuple[str, ...]] = {
    "orgs": ("name", "type", "identifier"),
    "academicSessions": ("title", "type", "startDate", "endDate"),
    "courses": ("title", "courseCode", "orgSourcedId"),
    "classes": ("title", "classCode", "courseSourcedId", "schoolSourcedId", "termSourcedIds"),
    "enrollments": ("userSourcedId", "classSourcedId", "role"),
}
REFERS = {
    "orgSourcedId": "orgs",
    "courseSourcedId": "courses",
    "schoolSourcedId": "orgs",
    "termSourcedIds": "academicSessions",
    "userSourcedId": "users",
    "classSourcedId": "classes",
}
SEAT = ("classSourcedId", "userSourcedId")
# The course and the terms of a class.
TAUGHT = ("courseSourcedId", "termSourcedIds")
# Ids made of an address and a name (`transforms/layouts/ids.py`), in this release and in 0.1.
MADE_ID = r"/|-[0-9a-f]{32}$"
# This many records of a kind may get other ids. For enrollments the limit of identities applies.
FEW = 2
# By entity, the old id of each new one.
Same = dict[str, dict[str, str]]


def hold_new_ids(stops: GuardReview, context: GuardContext, limits: GuardLimits) -> None:
    """Hold records that come again under new ids, and the removal of the old ones."""
    same: Same = {}
    for name in ("orgs", "academicSessions", "users", "courses", "classes", "enrollments"):
        if name in stops.parts and name in context.sent:
            if name == "users":
                _match_people(stops, context, limits, same)
            else:
                _match_records(stops, context, limits, name, same)
    schools = {old for entity, old, _, _ in stops.pairs if entity == "orgs"}
    if len(schools) * 2 > context.total("orgs"):
        # This is another district, or another system.
        stops.stop(
            "follows",
            "What is new and what vanished is held with the schools that have new ids.",
            *stops.parts,
            removals=pl.lit(value=True),
            upserts=pl.col(ACTION) != "update",
        )


def _match_people(
    stops: GuardReview, context: GuardContext, limits: GuardLimits, same: Same
) -> None:
    """Match people by two signs of five. Many people may match by one sign that nobody shares."""
    arrived = stops.created("users")
    births = stops.parts["demographics"].upserts if "demographics" in stops.parts else None
    new = _signs_of(arrived, births)
    old = _signs_of(context.sent["users"], context.sent.get("demographics"))
    met = old.join(new, on=["sign", "value"], how="inner", suffix="_new")
    alike = pl.col(GROUP).is_null() | pl.col(GROUP).eq_missing(pl.col(f"{GROUP}_new"))
    met = met.filter(alike & (pl.col("sourcedId") != pl.col("sourcedId_new")))
    shared = (
        met.group_by(GROUP, old="sourcedId", new="sourcedId_new")
        .agg("sign")
        .with_columns(gone=_is_gone(stops, "users"))
    )
    two = (pl.col("sign").list.len() > 1) & _has_telling_sign()
    known = _without_a_few_contacts(shared.filter(two), context, limits)
    rest = shared.filter(~two).join(known, on="old", how="anti").join(known, on="new", how="anti")
    rest = _without_a_few_contacts(rest, context, limits)
    once = _by_one_sign(rest, arrived.height - known["new"].n_unique())
    _hold_pairs(stops, "users", pl.concat([known, once]), _one_to_one(known), same)


def _signs_of(people: pl.DataFrame, demographics: pl.DataFrame | None) -> pl.DataFrame:
    """Return the signs of people: `sourcedId`, `#group`, `sign`, `value`. Skips common values."""
    people = with_columns_of(
        people, ["givenName", "familyName", "email", "username", "identifier", "roles", NAME]
    )
    births = with_columns_of(demographics, ["birthDate"])
    people = people.join(births, on="sourcedId", how="left", maintain_order="left")
    full = pl.coalesce(pl.concat_str("givenName", "familyName", separator=" "), NAME)
    name = full.map_elements(_plain_name, return_dtype=pl.String)
    signs = people.with_columns(group_of(people["roles"]).alias(GROUP), name=name).unpivot(
        SIGNS, index=["sourcedId", GROUP], variable_name="sign"
    )
    signs = signs.drop_nulls("value").with_columns(
        pl.col("value").str.to_lowercase().str.strip_chars()
    )
    return signs.filter(pl.len().over("sign", "value", GROUP) <= MANY)


def _plain_name(name: str) -> str:
    return " ".join(sorted(name_words(name)))


def _has_telling_sign() -> pl.Expr:
    return pl.col("sign").list.set_difference(list(NOT_ENOUGH)).list.len() > 0


def _without_a_few_contacts(
    pairs: pl.DataFrame, context: GuardContext, limits: GuardLimits
) -> pl.DataFrame:
    """Leave out contacts who are still in the drop, or whose id is made of their address.

    That is usual: many systems have one row of a parent for each child, and such an id changes with
    the address. All pairs stay if there are too many.
    """
    usual = (pl.col(GROUP) == CONTACTS) & (~pl.col("gone") | pl.col("old").str.contains(MADE_ID))
    usual = usual.fill_null(value=False)
    most = most_allowed(
        context.total("users", CONTACTS), limits.identity_percent, limits.identity_records
    )
    return pairs.filter(~usual) if pairs.filter(usual)["new"].n_unique() <= most else pairs


def _by_one_sign(pairs: pl.DataFrame, arrived: int) -> pl.DataFrame:
    """Return pairs with one sign in common, if they are most of the people who arrived.

    An address or a birthday counts only if the old record is gone.
    """
    once = _one_to_one(pairs.filter(pl.col("gone") | _has_telling_sign()))
    return once if once.height > 1 and once.height * 2 > arrived else once.clear()


def _one_to_one(pairs: pl.DataFrame) -> pl.DataFrame:
    """Return the pairs whose records are in no other pair."""
    return pairs.filter(~pl.col("old").is_duplicated() & ~pl.col("new").is_duplicated())


def _is_gone(stops: GuardReview, name: str) -> pl.Expr:
    """Whether a full snapshot no longer has the `old` record."""
    part = stops.parts[name]
    gone = part.of(*REMOVAL_ACTIONS, "stay")["sourcedId"]
    return pl.col("old").is_in(gone.implode()) & pl.lit(part.whole)


def _match_records(
    stops: GuardReview, context: GuardContext, limits: GuardLimits, name: str, same: Same
) -> None:
    """Match records that are made of the same values. New ids in references count as old ones."""
    columns = MADE_OF[name]
    new = _with_old_ids(with_columns_of(stops.created(name), columns), columns, same)
    old = with_columns_of(context.sent[name], columns)
    met = old.join(new, on=list(columns), how="inner", suffix="_new", nulls_equal=True)
    pairs = met.filter(pl.col("sourcedId") != pl.col("sourcedId_new")).select(
        old="sourcedId", new="sourcedId_new"
    )
    pairs = pairs.with_columns(gone=_is_gone(stops, name))
    if name == "courses":
        pairs = _of_one_term(pairs, stops, context, same)
    certain = _one_to_one(pairs)
    same[name] = dict(certain.select("new", "old").iter_rows())
    if stops.parts[name].whole and name != "enrollments":
        doubled = (
            _classes_with_same_people(stops, context, pairs, same)
            if name == "classes"
            else pairs["new"].clear()
        )
        pairs, certain = (
            one.filter(pl.col("gone") | pl.col("new").is_in(doubled.implode()))
            for one in (pairs, certain)
        )
    count, total, most = pairs["new"].n_unique(), context.total(name), FEW
    if name == "enrollments":
        most = most_allowed(total, limits.identity_percent, limits.identity_records)
        _hold_enrollments_of(stops, same.get("users", {}))
    stops.read(LimitReading("rekeyed", f"{name} under new ids", count, most, total))
    if count > most:
        _hold_pairs(stops, name, pairs, certain, same)


def _classes_with_same_people(
    stops: GuardReview, context: GuardContext, pairs: pl.DataFrame, same: Same
) -> pl.Series:
    """Return the ids of new classes that get most people of the class they look like."""
    if "enrollments" not in stops.parts or pairs.is_empty():
        return pairs["new"].clear()
    created = with_columns_of(stops.created("enrollments"), SEAT)
    new = _with_old_ids(created, ("userSourcedId",), same)
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
    pairs: pl.DataFrame, stops: GuardReview, context: GuardContext, same: Same
) -> pl.DataFrame:
    """Leave out courses with other terms: some systems have a separate course for each term."""
    if pairs.is_empty() or "classes" not in stops.parts:
        return pairs
    created = with_columns_of(stops.created("classes"), TAUGHT)
    new = _with_old_ids(created, TAUGHT, {**same, "courses": {}})
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
    """Return the `terms` in which each course (column `side`) is taught."""
    taught = classes.select(
        pl.col("courseSourcedId").alias(side),
        pl.col("termSourcedIds").str.split(",").alias("terms"),
    )
    return taught.drop_nulls().explode("terms").group_by(side).agg(pl.col("terms").unique())


def _with_old_ids(frame: pl.DataFrame, columns: tuple[str, ...], same: Same) -> pl.DataFrame:
    """Replace the new ids in references by the old ones."""
    for column in (one for one in columns if same.get(REFERS.get(one, ""))):
        old = same[REFERS[column]]
        items = pl.col(column).str.split(",").list.eval(pl.element().replace(old)).list.join(",")
        frame = frame.with_columns(items.alias(column))
    return frame


def _hold_enrollments_of(stops: GuardReview, people: Mapping[str, str]) -> None:
    """Hold the removal of enrollments of people with new ids, so that they keep their classes."""
    part = stops.parts["enrollments"]
    if not people or PARENTS not in part.removals.columns:
        return
    theirs = parent_ids(pl.col(PARENTS), "users").list.first().is_in(list(people.values()))
    stops.stop(
        "follows",
        "enrollments are held with people who have new ids.",
        "enrollments",
        removals=theirs,
    )


def _hold_pairs(
    stops: GuardReview, name: str, pairs: pl.DataFrame, certain: pl.DataFrame, same: Same
) -> None:
    if pairs.is_empty():
        return
    sure = set(certain.select("old", "new").iter_rows())
    same[name] = same.get(name, {}) | {new: old for old, new in sure}
    rows = pairs.select("old", "new").sort("old", "new").rows()
    stops.pairs += [(name, old, new, (old, new) in sure) for old, new in rows]
    gone, new_ids = (pl.col("sourcedId").is_in(pairs[side].implode()) for side in ("old", "new"))
    rule = "renumbered" if name == "users" else "rekeyed"
    sentence = _pairs_text(name, rows, len(sure), gone=bool(pairs["gone"].all()))
    if name == "enrollments" and any(entity in ("users", "classes") for entity, *_ in stops.pairs):
        rule = "follows"
        count = pairs["new"].n_unique()
        sentence = (
            f"{count_of(count, 'enrollments')} {agree(count, 'are')} held with the people and "
            "classes that have new ids."
        )
    stops.stop(rule, sentence, name, removals=gone, upserts=new_ids & (pl.col(ACTION) == "create"))


def _pairs_text(name: str, pairs: list[tuple[str, str]], sure: int, *, gone: bool) -> str:
    count = len({new for _, new in pairs})
    first = ", ".join(f"{old} is now {new}" for old, new in pairs[:FIRST])
    more = f", and {len(pairs) - FIRST:,} more" if len(pairs) > FIRST else ""
    there = "vanished and came again" if gone else f"{agree(count, 'are')} there and came again"
    advice = (
        " If they are the same, keep ids.csv, which is beside the plan, and name it as "
        "`ids` in the feed file: the target keeps the old ids."
        if sure
        else ""
    )
    unsure = len(pairs) - sure
    doubt = (
        f" {count_of(unsure, 'pairs')} {agree(unsure, 'are')} in doubt: ids_in_doubt.csv lists "
        f"{agree(unsure, 'them')}; say in ids.csv (old,new) which are the same."
        if unsure > 0
        else ""
    )
    return (
        f"{count_of(count, name)} {there} under new ids ({first}{more}), and would be there twice."
        f"{advice}{doubt} If they are others, approve."
    )
