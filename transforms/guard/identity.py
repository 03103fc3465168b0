"""Ids that pass to other people: many at once, as when a column was sorted by itself, or a single one."""

from __future__ import annotations

import unicodedata
from collections import Counter

import polars as pl

from transforms.changes import LABEL
from transforms.guard.limits import Limits, Reading, allowed, told
from transforms.guard.past import NAME, Past, with_columns_of
from transforms.guard.stops import Kind, Stops

FIRST = 3
# By what people know each other, and sign in.
IDENTITY = ("givenName", "familyName", "email", "username", "identifier")
# So many grades in one night are no promotion.
JUMP = 3


def identities(stops: Stops, past: Past, limits: Limits) -> None:
    """Limit how many people get another name, email, username or identifier, and how many enrollments another person."""
    now = with_columns_of(stops.updates("users") if "users" in stops.parts else None, IDENTITY)
    met = now.join(past.records("users", *IDENTITY), on="sourcedId", how="inner", suffix="_was")
    other = [(_text(name) != _text(f"{name}_was")).fill_null(_lost(name)).alias(name) for name in IDENTITY]
    changed = met.select("sourcedId", *other).filter(pl.any_horizontal(IDENTITY))
    for kind in (kind for kind in stops.kinds(past) if kind.entity == "users"):
        theirs = stops.updates("users").filter(kind.chosen).select("sourcedId")
        _limit(stops, past, limits, kind, changed.join(theirs, on="sourcedId", how="semi"))
    if "enrollments" in stops.parts:
        was = past.records("enrollments", "userSourcedId").rename({"userSourcedId": "was"})
        enrollments = with_columns_of(stops.updates("enrollments"), ["userSourcedId"]).join(was, on="sourcedId")
        passed = enrollments.filter(pl.col("userSourcedId") != pl.col("was")).select("sourcedId", person=pl.lit(value=True))  # fmt: skip
        _limit(stops, past, limits, Kind("enrollments"), passed)


def _limit(stops: Stops, past: Past, limits: Limits, kind: Kind, changed: pl.DataFrame) -> None:
    total = past.total(kind.entity, kind.group)
    most = allowed(total, limits.identity_percent, limits.identity_records)
    stops.read(Reading("identity", f"{kind.word} with another identity", changed.height, most, total))
    if changed.height <= most:
        return
    counts = Counter({name: int(changed[name].sum()) for name in changed.columns if name != "sourcedId"})
    ways = ", ".join(f"another {name} for {count:,}" for name, count in counts.most_common() if count)
    limit = told(limits.identity_percent, limits.identity_records)
    sentence = (
        f"{changed.height:,} of {total:,} {kind.word} would become somebody else's ({ways}), more than {limit}. "
        "See whether a column of the export was sorted or shifted by itself, or is missing."
    )
    stops.stop("identity", sentence, kind.entity, upserts=pl.col("sourcedId").is_in(changed["sourcedId"].implode()))


def _text(name: str) -> pl.Expr:
    return pl.col(name).str.to_lowercase().str.strip_chars()


def _lost(name: str) -> pl.Expr:
    """A value that goes is a change; one that comes is none."""
    return pl.col(name).is_null() & pl.col(f"{name}_was").is_not_null()


def recycled(stops: Stops, past: Past) -> None:
    """Stop updates that would make another person of somebody, by two signs of five; a marriage shows one."""
    if "users" not in stops.parts:
        return
    met = _beside(stops, past)
    ids = [row["sourcedId"] for row in met.iter_rows(named=True) if sum(_signs(row)) > 1]
    first = ", ".join(ids[:FIRST]) + (f" and {len(ids) - FIRST:,} more" if len(ids) > FIRST else "")
    subject = "1 id seems" if len(ids) == 1 else f"{len(ids):,} ids seem"
    sentence = (
        f"{subject} to have passed to other people ({first}): more than one of name, date of birth, email or username, "
        "identifier and grade is another one. Give new people ids of their own; if it is one person whose record was corrected, approve."
    )
    chosen = pl.col("sourcedId").is_in(ids)
    stops.stop(
        "recycled", sentence, *(name for name in ("users", "demographics") if name in stops.parts), upserts=chosen
    )


def _beside(stops: Stops, past: Past) -> pl.DataFrame:
    """Put beside each updated user what was sent of it before (`_was`)."""
    columns = (*IDENTITY, "grades")
    updates = stops.updates("users")
    now = with_columns_of(updates, columns).with_columns(updates[LABEL].alias(NAME) if LABEL in updates.columns else pl.lit(None, pl.String).alias(NAME))  # fmt: skip
    met = now.join(past.records("users", *columns, NAME), on="sourcedId", how="inner", suffix="_was", maintain_order="left")  # fmt: skip
    births = stops.parts["demographics"].upserts if "demographics" in stops.parts else None
    born = with_columns_of(births, ["birthDate"]).join(past.records("demographics", "birthDate"), on="sourcedId", suffix="_was")  # fmt: skip
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
