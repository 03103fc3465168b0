"""Ids that pass to other records: many at once, as after a sorted column, or a single person's."""

from __future__ import annotations

import unicodedata
from collections import Counter
from datetime import date

import polars as pl

from transforms import payload as parts
from transforms.changes import ACTION, ENDS, LABEL, PARENTS
from transforms.grammar import agree, count_of
from transforms.guard.context import NAME, NEAR, GuardContext, with_columns_of
from transforms.guard.holds import GROUP, STAFF, STUDENTS, GuardReview, group_of
from transforms.guard.limits import GuardLimits, LimitReading, limit_text, most_allowed

FIRST = 3
# What identifies a person to other people, and at sign-in.
IDENTITY = ("givenName", "familyName", "email", "username", "identifier")
# What identifies a person to other programs.
PROGRAM_IDENTITY = ("userMasterIdentifier", "userIds")
# What identifies a record of each kind.
IDENTIFYING_COLUMNS = {
    "orgs": ("name",),
    "users": (*IDENTITY, *PROGRAM_IDENTITY, "grades", "roles", "agentSourcedIds"),
    "courses": ("title",),
    "classes": ("title", "courseSourcedId", "schoolSourcedId"),
    "enrollments": ("userSourcedId", "role"),
    "demographics": ("birthDate",),
}
# A change of that many grades is no promotion.
JUMP = 3
# How many days apart two feeds may end one session.
DAYS_APART = 14
# The parents that two feeds' records with one id must have in common to be one record.
PARENTS_OF = {"enrollments": ("users:", "classes:"), "classes": ("orgs:",)}


def limit_identities(stops: GuardReview, context: GuardContext, limits: GuardLimits) -> None:
    """Limit the records that become others: users, enrollments, classes, courses and schools."""
    for entity, columns in IDENTIFYING_COLUMNS.items():
        if entity not in stops.parts:
            continue
        updates = stops.updates(entity)
        now, was = _identity_of(entity, updates), _identity_of(entity, context.sent.get(entity))
        met = now.join(was, on="sourcedId", suffix="_was")
        year = _is_new_year(met, context)
        changed = met.select(
            "sourcedId",
            *(_differs(name, year=year).alias(name) for name in columns),
            along=_has_minor_change(met),
        )
        changed = changed.join(updates.select("sourcedId", GROUP), on="sourcedId")
        changed = changed.filter(pl.any_horizontal(*columns, "along"))
        _limit_identities(stops, context, limits, entity, changed)


def _identity_of(entity: str, records: pl.DataFrame | None) -> pl.DataFrame:
    """Return records with the columns that identify them.

    The roles of staff stay as they are. Those of other people become the group.
    """
    found = with_columns_of(records, IDENTIFYING_COLUMNS[entity])
    if "roles" not in found.columns:
        return found
    group, roles = group_of(found["roles"]), parts.part_values(found["roles"], "role")
    is_staff = (group == STAFF).fill_null(value=False)
    return found.with_columns(roles.zip_with(is_staff, group).alias("roles"))


def _is_new_year(met: pl.DataFrame, context: GuardContext) -> bool:
    """Whether at least half of the students move up by one grade."""
    if "grades" not in met.columns:
        return False
    students = context.total("users", STUDENTS) or context.total("users")
    return met.filter(_grades_up() == 1).height * 2 >= max(students, 1)


def _differs(name: str, *, year: bool) -> pl.Expr:
    """Whether a value was replaced or removed. A value that was blank before does not count.

    One agent more or less does not count either, nor does the next grade at the start of a `year`.
    """
    now, was = pl.col(name), pl.col(f"{name}_was")
    removed = now.is_null() & was.is_not_null()
    if name == "grades":
        usual = _grades_up().is_in([0, 1] if year else [0]).fill_null(value=True)
        return removed | ((now != was) & ~usual).fill_null(value=False)
    if name == "agentSourcedIds":
        both = now.str.split(",").list.set_intersection(was.str.split(",")).list.len()
        return (both == 0).fill_null(value=False)
    plain_now, plain_was = (cell.str.to_lowercase().str.strip_chars() for cell in (now, was))
    return (plain_now != plain_was).fill_null(removed)


def _grades_up() -> pl.Expr:
    """Return by how many grades a user moves up."""
    now, was = (
        pl.col(name).str.split(",").list.first().cast(pl.Int8, strict=False)
        for name in ("grades", "grades_was")
    )
    return now - was


def _has_minor_change(met: pl.DataFrame) -> pl.Expr:
    """Whether the grade or the parents of a user changed.

    That alone makes no other person. If too many records become others, it is suspicious too.
    """
    if "grades" not in met.columns:
        return pl.lit(value=False)
    grade = (pl.col("grades") != pl.col("grades_was")).fill_null(value=False)
    return grade | pl.col("agentSourcedIds").ne_missing(pl.col("agentSourcedIds_was"))


def _limit_identities(
    stops: GuardReview,
    context: GuardContext,
    limits: GuardLimits,
    entity: str,
    changed: pl.DataFrame,
) -> None:
    """Hold all changed records of an entity if one kind has too many: all may be wrong."""
    columns, found, too_many = IDENTIFYING_COLUMNS[entity], [], False
    others = changed.filter(pl.any_horizontal(columns))
    for kind in (kind for kind in stops.kinds if kind.entity == entity):
        count, total = others.filter(kind.chosen).height, kind.total(context)
        most = most_allowed(total, limits.identity_percent, limits.identity_records)
        stops.read(
            LimitReading("identity", f"{kind.word} with another identity", count, most, total)
        )
        found += [f"{count:,} of {count_of(total, kind.word)}"] if count else []
        too_many |= count > most
    if not too_many:
        return
    counts = Counter({name: int(others[name].sum()) for name in columns})
    ways = ", ".join(
        f"another {name} for {number:,}" for name, number in counts.most_common() if number
    )
    limit = limit_text(limits.identity_percent, limits.identity_records)
    sentence = (
        f"{', '.join(found)} would become others ({ways}), more than {limit}. "
        "Check whether a column of the export was sorted or shifted by itself, or is missing."
    )
    # If so many records become others, the new ones may be wrong too. If most people do, anything
    # new may be wrong.
    ids = pl.col("sourcedId").is_in(changed["sourcedId"].implode())
    stops.stop("identity", sentence, entity, upserts=ids | _is_new(entity, context))
    if entity == "users" and others.height * 2 > context.total("users"):
        upserts = {name: _is_new(name, context) for name in stops.parts}
        upserts["demographics"] = pl.lit(value=True)
        stops.stop(
            "follows",
            "What is new and what vanished is held with the people whose ids would pass to others.",
            *stops.parts,
            removals=pl.lit(value=True),
            upserts=upserts,
        )


def _is_new(entity: str, context: GuardContext) -> pl.Expr:
    """Whether a record is new or returns, or no archived roster has it as it was sent."""
    sent = context.sent.get(entity, pl.DataFrame(schema={"sourcedId": pl.String}))
    sure = sent.filter(~pl.col(NEAR)) if NEAR in sent.columns else sent
    return (pl.col(ACTION) != "update") | ~pl.col("sourcedId").is_in(sure["sourcedId"].implode())


def hold_recycled_ids(stops: GuardReview, context: GuardContext) -> None:
    """Hold updates that make another person of a user, by two of five signs. A marriage has one."""
    if "users" not in stops.parts:
        return
    met = _beside_sent(stops, context)
    ids = [row["sourcedId"] for row in met.iter_rows(named=True) if sum(_signs(row)) > 1]
    first = ", ".join(ids[:FIRST]) + (f" and {len(ids) - FIRST:,} more" if len(ids) > FIRST else "")
    sentence = (
        f"{count_of(len(ids), 'ids')} {agree(len(ids), 'seem')} to have passed to other people "
        f"({first}): more than one of name, date of birth, email or username, identifier and "
        "grade is another one. "
        "Give new people ids of their own; if it is one person whose record was corrected, approve."
    )
    entities = [name for name in ("users", "demographics") if name in stops.parts]
    stops.stop("recycled", sentence, *entities, upserts=pl.col("sourcedId").is_in(ids))


def hold_claimed_ids(stops: GuardReview, context: GuardContext) -> None:
    """Hold new records whose ids other feeds have given to something else.

    If the feeds write of one record, they share it. If they do not, one would overwrite the other.
    """
    for (feed, name), rows in context.claimed.group_by("feed", "entity", maintain_order=True):
        entity = str(name)
        if entity not in stops.parts:
            continue
        new = stops.created(entity).select("sourcedId", LABEL, PARENTS, ENDS)
        met = new.join(rows, on="sourcedId", maintain_order="left")
        ids = [row["sourcedId"] for row in met.iter_rows(named=True) if _is_another(entity, row)]
        first = ", ".join(ids[:FIRST])
        first += f" and {len(ids) - FIRST:,} more" if len(ids) > FIRST else ""
        sentence = (
            f"{entity}: {count_of(len(ids), 'ids')} {agree(len(ids), 'are')} that of something "
            f"else in feed {feed} ({first}). If the two feeds number separately, give this one a "
            "`prefix` under [source]. If both write of the same records, approve."
        )
        held = [entity, *(["demographics"] if entity == "users" else [])]
        names = [one for one in held if one in stops.parts]
        stops.stop("claimed", sentence, *names, upserts=pl.col("sourcedId").is_in(ids))


def _is_another(entity: str, row: dict[str, str | None]) -> bool:
    """Return whether another feed's record (`label`, `parents`, `ends`) with this id is another.

    Names of a person have no word in common. An enrollment is of another person or class, a class
    of another school, and a session ends more than `DAYS_APART` days earlier or later. Other
    records have names of which neither has all words of the other one.
    """
    of = PARENTS_OF.get(entity, ())
    if _parents_of(row[PARENTS], of) != _parents_of(row["parents"], of):
        return True
    if entity == "academicSessions" and _ends_apart(row[ENDS], row["ends"]):
        return True
    if entity == "enrollments":
        return False
    now, theirs = name_words(row[LABEL]), name_words(row["label"])
    if not (now and theirs):
        return False
    return not now & theirs if entity == "users" else not (now <= theirs or theirs <= now)


def _ends_apart(ours: str | None, theirs: str | None) -> bool:
    if not ours or not theirs:
        return False
    try:
        days = date.fromisoformat(ours) - date.fromisoformat(theirs)
    except ValueError:
        return ours != theirs
    return abs(days.days) > DAYS_APART


def _parents_of(parents: str | None, kinds: tuple[str, ...]) -> set[str]:
    """Return the parents of some kinds."""
    return {word for word in (parents or "").split() if word.startswith(kinds)}


def _beside_sent(stops: GuardReview, context: GuardContext) -> pl.DataFrame:
    """Return each updated user, with the values that were sent before (`_was`)."""
    columns = (*IDENTITY, "grades", "roles", "agentSourcedIds")
    updates = stops.updates("users")
    label = pl.col(LABEL) if LABEL in updates.columns else pl.lit(None, pl.String)
    now = with_columns_of(updates.with_columns(label.alias(NAME)), (*columns, NAME))
    was = context.records("users", *columns, NAME)
    met = now.join(was, on="sourcedId", how="inner", suffix="_was", maintain_order="left")
    births = stops.parts["demographics"].upserts if "demographics" in stops.parts else None
    born = with_columns_of(births, ["birthDate"]).join(
        context.records("demographics", "birthDate"), on="sourcedId", suffix="_was"
    )
    return met.join(born, on="sourcedId", how="left", maintain_order="left")


def _signs(row: dict[str, str | None]) -> tuple[bool, ...]:
    """Return which signs of another person a row shows."""
    return (
        _has_other_name(row),
        _has_other(row, "birthDate"),
        _has_other(row, "email") or _has_other(row, "username"),
        _has_other(row, "identifier"),
        _jumps(row["grades"], row["grades_was"]),
    )


def _has_other_name(row: dict[str, str | None]) -> bool:
    """Whether the old and the new name have no word in common."""
    now = name_words(row[NAME])
    was = name_words(row[f"{NAME}_was"]) or name_words(row["givenName_was"]) | name_words(
        row["familyName_was"]
    )
    return bool(now and was) and not now & was


def _has_other(row: dict[str, str | None], name: str) -> bool:
    now, was = row[name], row[f"{name}_was"]
    return now is not None and was is not None and now.casefold() != was.casefold()


def _jumps(now: str | None, was: str | None) -> bool:
    first = [(grades or "").split(",")[0] for grades in (now, was)]
    return all(one.isdigit() for one in first) and abs(int(first[0]) - int(first[1])) >= JUMP


def name_words(name: str | None) -> set[str]:
    """Return the words of a name, without case and accents."""
    plain = unicodedata.normalize("NFKD", name or "").casefold()
    return set("".join(sign for sign in plain if not unicodedata.combining(sign)).split())
