"""Ids that pass to other people: many at once, as when a column was sorted by itself, or a single one."""

from __future__ import annotations

import unicodedata
from collections import Counter

import polars as pl

from transforms import payload as parts
from transforms.changes import ACTION, LABEL
from transforms.guard.context import NAME, NEAR, GuardContext, with_columns_of
from transforms.guard.holds import GROUP, STAFF, STUDENTS, Stops, group_of
from transforms.guard.limits import GuardLimits, LimitReading, allowed, limit_text

FIRST = 3
# By what people know each other, and sign in.
IDENTITY = ("givenName", "familyName", "email", "username", "identifier")
# By what other programs know them.
ELSEWHERE = ("userMasterIdentifier", "userIds")
# By what each kind of record is told from others of its kind.
TOLD_BY = {
    "orgs": ("name",), "users": (*IDENTITY, *ELSEWHERE, "grades", "roles", "agentSourcedIds"), "courses": ("title",),
    "classes": ("title", "courseSourcedId", "schoolSourcedId"), "enrollments": ("userSourcedId", "role"),
    "demographics": ("birthDate",),
}  # fmt: skip
# So many grades in one night are no promotion.
JUMP = 3


def identities(stops: Stops, context: GuardContext, limits: GuardLimits) -> None:
    """Limit how many records become others: people, enrollments, and the names of classes, courses and schools."""
    for entity, columns in TOLD_BY.items():
        if entity not in stops.parts:
            continue
        updates = stops.updates(entity)
        met = _told_by(entity, updates).join(
            _told_by(entity, context.sent.get(entity)), on="sourcedId", suffix="_was"
        )
        year = _is_new_year(met, context)
        changed = met.select(
            "sourcedId",
            *(_differs(name, year=year).alias(name) for name in columns),
            along=_goes_along(met),
        )
        changed = changed.join(updates.select("sourcedId", GROUP), on="sourcedId")
        _limit(stops, context, limits, entity, changed.filter(pl.any_horizontal(*columns, "along")))


def _told_by(entity: str, records: pl.DataFrame | None) -> pl.DataFrame:
    """Give records with the columns by which they are told apart; of roles, what they make of a person, and of staff which they are."""
    found = with_columns_of(records, TOLD_BY[entity])
    if "roles" not in found.columns:
        return found
    group, held = group_of(found["roles"]), parts.values(found["roles"], "role")
    return found.with_columns(
        held.zip_with((group == STAFF).fill_null(value=False), group).alias("roles")
    )


def _goes_along(met: pl.DataFrame) -> pl.Expr:
    """Whether a grade goes up, or a parent comes or goes: that is no other person, unless too many others are."""
    if "grades" not in met.columns:
        return pl.lit(value=False)
    up = (pl.col("grades") != pl.col("grades_was")).fill_null(value=False)
    return up | pl.col("agentSourcedIds").ne_missing(pl.col("agentSourcedIds_was"))


def _is_new_year(met: pl.DataFrame, context: GuardContext) -> bool:
    """Whether at least half of the students go up by one grade."""
    students = context.total("users", STUDENTS) or context.total("users")
    return "grades" in met.columns and met.filter(_up() == 1).height * 2 >= max(students, 1)


def _up() -> pl.Expr:
    """By how many grades somebody goes up."""
    return _grade(pl.col("grades")) - _grade(pl.col("grades_was"))


def _differs(name: str, *, year: bool) -> pl.Expr:
    """Whether a value is another one, or has gone; one that comes is none, and so is one agent more or less.

    A grade that goes up by one is no other person's where all go up (`year`).
    """
    now, was = pl.col(name), pl.col(f"{name}_was")
    if name == "grades":
        usual = _up().is_in([0, 1] if year else [0]).fill_null(value=True)
        lost = now.is_null() & was.is_not_null()
        return lost | ((now != was) & ~usual).fill_null(value=False)
    if name == "agentSourcedIds":
        both = now.str.split(",").list.set_intersection(was.str.split(",")).list.len()
        return (both == 0).fill_null(value=False)
    return (_text(now) != _text(was)).fill_null(now.is_null() & was.is_not_null())


def _text(cell: pl.Expr) -> pl.Expr:
    return cell.str.to_lowercase().str.strip_chars()


def _grade(cell: pl.Expr) -> pl.Expr:
    return cell.str.split(",").list.first().cast(pl.Int8, strict=False)


def _limit(
    stops: Stops, context: GuardContext, limits: GuardLimits, entity: str, changed: pl.DataFrame
) -> None:
    """Stop all that changed of an entity if it is too much of one kind: what was done to one was done to the others."""
    columns, found, too_many = TOLD_BY[entity], [], False
    others = changed.filter(pl.any_horizontal(columns))
    for kind in (kind for kind in stops.kinds if kind.entity == entity):
        count, total = others.filter(kind.chosen).height, kind.total(context)
        most = allowed(total, limits.identity_percent, limits.identity_records)
        stops.read(
            LimitReading("identity", f"{kind.word} with another identity", count, most, total)
        )
        found += [f"{count:,} of {total:,} {kind.word}"] if count else []
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
        "See whether a column of the export was sorted or shifted by itself, or is missing."
    )
    # Where so many are others, those who are new may be as wrong; where most people are, so may all that is new.
    ids = pl.col("sourcedId").is_in(changed["sourcedId"].implode())
    stops.stop("identity", sentence, entity, upserts=ids | _new(entity, context))
    if entity == "users" and others.height * 2 > context.total("users"):
        said = "What is new and what vanished waits with the people who would become others."
        upserts = {name: _new(name, context) for name in stops.parts} | {
            "demographics": pl.lit(value=True)
        }
        stops.stop("follows", said, *stops.parts, removals=pl.lit(value=True), upserts=upserts)


def _new(entity: str, context: GuardContext) -> pl.Expr:
    """What comes, or comes again, and what changes without anybody knowing from what: no roster is kept that has it as it was sent."""
    sent = context.sent.get(entity, pl.DataFrame(schema={"sourcedId": pl.String}))
    sure = sent.filter(~pl.col(NEAR)) if NEAR in sent.columns else sent
    return (pl.col(ACTION) != "update") | ~pl.col("sourcedId").is_in(sure["sourcedId"].implode())


def recycled(stops: Stops, context: GuardContext) -> None:
    """Stop updates that would make another person of somebody, by two signs of five; a marriage shows one."""
    if "users" not in stops.parts:
        return
    met = _beside(stops, context)
    ids = [row["sourcedId"] for row in met.iter_rows(named=True) if sum(_signs(row)) > 1]
    first = ", ".join(ids[:FIRST]) + (f" and {len(ids) - FIRST:,} more" if len(ids) > FIRST else "")
    subject = "1 id seems" if len(ids) == 1 else f"{len(ids):,} ids seem"
    sentence = (
        f"{subject} to have passed to other people ({first}): more than one of name, date of birth, email or username, "
        "identifier and grade is another one. Give new people ids of their own; if it is one person whose record was corrected, approve."
    )
    chosen = pl.col("sourcedId").is_in(ids)
    stops.stop(
        "recycled",
        sentence,
        *(name for name in ("users", "demographics") if name in stops.parts),
        upserts=chosen,
    )


def _beside(stops: Stops, context: GuardContext) -> pl.DataFrame:
    """Put beside each updated user what was sent of it before (`_was`)."""
    columns = (*IDENTITY, "grades", "roles", "agentSourcedIds")
    updates = stops.updates("users")
    now = with_columns_of(updates, columns).with_columns(
        updates[LABEL].alias(NAME)
        if LABEL in updates.columns
        else pl.lit(None, pl.String).alias(NAME)
    )
    met = now.join(
        context.records("users", *columns, NAME),
        on="sourcedId",
        how="inner",
        suffix="_was",
        maintain_order="left",
    )
    births = stops.parts["demographics"].upserts if "demographics" in stops.parts else None
    born = with_columns_of(births, ["birthDate"]).join(
        context.records("demographics", "birthDate"), on="sourcedId", suffix="_was"
    )
    return met.join(born, on="sourcedId", how="left", maintain_order="left")


def _signs(row: dict[str, str | None]) -> tuple[bool, ...]:
    """Tell which signs of another person there are: name, birth, address, number, grade."""
    return (
        _another_name(row),
        _other(row, "birthDate"),
        _other(row, "email") or _other(row, "username"),
        _other(row, "identifier"),
        _jump(row["grades"], row["grades_was"]),
    )


def _another_name(row: dict[str, str | None]) -> bool:
    """Whether no word of the name is what it was."""
    now, was = words(row[NAME]), words(row[f"{NAME}_was"]) or _full(row, "_was")
    return bool(now and was) and not now & was


def _full(row: dict[str, str | None], suffix: str) -> set[str]:
    return words(row[f"givenName{suffix}"]) | words(row[f"familyName{suffix}"])


def _other(row: dict[str, str | None], name: str) -> bool:
    now, was = row[name], row[f"{name}_was"]
    return now is not None and was is not None and now.casefold() != was.casefold()


def _jump(now: str | None, was: str | None) -> bool:
    first = [(grades or "").split(",")[0] for grades in (now, was)]
    return all(one.isdigit() for one in first) and abs(int(first[0]) - int(first[1])) >= JUMP


def words(name: str | None) -> set[str]:
    """The words of a name, whatever its case and accents."""
    plain = unicodedata.normalize("NFKD", name or "").casefold()
    return set("".join(sign for sign in plain if not unicodedata.combining(sign)).split())
