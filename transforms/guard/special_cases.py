"""What is never let through without a person, whatever the limits say: each case with its own sentence."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from transforms.changes import ACTION, SCHOOL
from transforms.guard.amounts import TAKEN, files
from transforms.guard.context import ColumnHistory, GuardContext, with_columns_of
from transforms.guard.harm import all_over
from transforms.guard.holds import ALL, TAKING, VANISHED, HeldKind, Stops
from transforms.guard.limits import GuardLimits, LimitReading
from transforms.guard.moves import to_other_schools
from transforms.schemas import ENTITIES

FIRST = 3
IN_SCHOOLS = ("users", "classes", "enrollments")
CHILDREN_FIRST = tuple(
    reversed([name for name, entity in ENTITIES.items() if not entity.folds_into])
)


def whole_run(stops: Stops, context: GuardContext) -> None:
    """Stop everything in a blackout or an onboarding, of a drop older than one that was loaded, or before a target that is not empty."""
    if context.blackout:
        _everything(
            stops,
            "blackout",
            f"Nothing is sent until {context.blackout} is over: the feed's file says so.",
        )
    if context.ask_first:
        _everything(
            stops,
            "ask_first",
            "This is an onboarding: nothing is sent before a person has seen and approved it.",
        )
    if context.dated and context.newest and context.dated < context.newest:
        _everything(
            stops,
            "older_drop",
            f"This drop is of {context.dated}, and one of {context.newest} was loaded already. "
            "Send it only if it is meant to put the older truth over the newer.",
        )
    if context.twin:
        _everything(
            stops,
            "older_drop",
            f"This drop is, to the last cell, the one of {context.twin}, and others were loaded since. "
            "Send it only if it is meant to put the older truth over the newer.",
        )
    if context.dated and context.today and context.dated > context.today + timedelta(days=1):
        _everything(
            stops,
            "future_drop",
            f"This drop is of {context.dated}, and today is {context.today}. Correct its name, or its date in the feed's file.",
        )
    if context.strangers:
        _everything(
            stops,
            "not_ours_yet",
            f"This feed has no ledger yet, and the target already holds {context.strangers:,} of the "
            "records that were looked up. If they are this district's, run `roster adopt` first; "
            "if they are not, see whose they are, and load with --first-run.",
        )


def _everything(stops: Stops, rule: str, sentence: str) -> None:
    stops.stop(rule, sentence, *stops.parts, removals=ALL, upserts=ALL)


def emptied(stops: Stops, context: GuardContext) -> None:
    """Stop what vanished because a file that had rows has none."""
    for name, _ in list(stops.counted()):
        if stops.parts[name].emptied:
            sentence = f"{name}: the drop has no records at all, and {context.total(name):,} were loaded before."
            stops.stop(
                "emptied", f"{sentence} Find out why the export came out empty.", name, removals=ALL
            )


def lacking(stops: Stops, context: GuardContext) -> None:
    """Stop what vanished while a file or a column is missing in which such records stood before."""
    for name, vanished in list(stops.counted()):
        if lacking := ", ".join(stops.parts[name].lacking):
            sentence = (
                f"{name}: {lacking} had such records before, and is missing or empty; {vanished:,} of {context.total(name):,} "
                "vanished. Find out why; if it will not come again, approve, and name it in `without` under [source]."
            )
            stops.stop("file_gone", sentence, name, removals=ALL)


def all_others(stops: Stops) -> None:
    """Stop creates and removals of an entity all of whose ids are others than before, if it is not known which are the same."""
    for name, part in stops.parts.items():
        vanished, new = stops.gone(name).height, stops.created(name).height
        if (
            vanished > 1
            and part.whole
            and new
            and new == part.upserts.height
            and not part.counts.get("unchanged")
        ):
            sentence = (
                f"{name}: all {vanished:,} ids are gone and {new:,} others are there. If these are the same {name} with new "
                "ids, say so in ids.csv (old,new), and their ids in the target stay as they are."
            )
            stops.stop("rekeyed", sentence, name, removals=ALL, upserts=pl.col(ACTION) == "create")


def widths(stops: Stops) -> None:
    """Stop creates and removals of ids that differ by leading zeros only: a spreadsheet has been at work."""
    for name, _ in list(stops.counted()):
        part = stops.parts[name]
        gone, new = (
            part.of(*VANISHED)["sourcedId"],
            part.upserts.filter(pl.col(ACTION) == "create")["sourcedId"],
        )
        alike = set(gone.str.strip_chars_start("0")) & set(new.str.strip_chars_start("0"))
        if not alike:
            continue
        bare = pl.col("sourcedId").str.strip_chars_start("0").is_in(list(alike))
        sentence = (
            f"{name}: {len(alike):,} ids differ from those loaded before by leading zeros only. "
            "Export them again as text, with their zeros."
        )
        stops.stop(
            "id_width", sentence, name, removals=bare, upserts=bare & (pl.col(ACTION) == "create")
        )


def schools(stops: Stops, context: GuardContext) -> None:
    """Stop what belongs to a school that is missing altogether, and what becomes of its people elsewhere."""
    movers = to_other_schools(stops, context) if "users" in stops.parts else None
    gone = list(stops.gone("orgs")["sourcedId"]) if "orgs" in stops.parts else []
    for school in dict.fromkeys([*gone, *_deserted(stops, context)]):
        said = "is not in the drop any more" if school in gone else "has no record left in the drop"
        people = int(
            context.of_schools("users").filter(pl.col("school") == school)["records"].sum()
        )
        of_it = f", and {people:,} users are of it" if people else ""
        sentence = (
            f"School {context.name('orgs', school)} {said}{of_it}.{files('users', stops, context) if 'users' in stops.parts else ''} "
            "If it was closed or left the district, approve; else correct the export."
        )
        of_school = (pl.col(SCHOOL) == school) | (
            (pl.col("sourcedId") == school) & pl.lit(value=school in gone)
        )
        upserts = dict.fromkeys(stops.parts, of_school & TAKEN)
        if movers is not None:
            theirs = movers.filter(was=school)["sourcedId"].implode()
            upserts["users"] |= pl.col("sourcedId").is_in(theirs)
            if (
                "enrollments" in upserts
                and "userSourcedId" in stops.parts["enrollments"].upserts.columns
            ):
                upserts["enrollments"] |= (pl.col(ACTION) == "create") & pl.col(
                    "userSourcedId"
                ).is_in(theirs)
        stops.stop(
            "school_missing",
            sentence,
            *stops.parts,
            school=school,
            removals=of_school,
            upserts=upserts,
        )


def terms(stops: Stops, context: GuardContext) -> None:
    """Stop what ends or puts off a session in which classes are taught: one row takes their classes from everybody."""
    if "academicSessions" not in stops.parts:
        return
    taken = (
        set(stops.taken(HeldKind("academicSessions")).drop_nulls(TAKING)["sourcedId"])
        & context.taught.keys()
    )
    rows = (
        stops.parts["academicSessions"]
        .upserts.filter(pl.col("sourcedId").is_in(list(taken)))
        .sort("sourcedId")
    )
    for row in rows.iter_rows(named=True):
        one, name = row["sourcedId"], row.get("title") or ""
        was = (
            context.records("academicSessions", "startDate", "endDate").filter(sourcedId=one).row(0)
        )
        sentence = (
            f"Session {name} ({one}) would last from {row.get('startDate') or was[1]} to {row.get('endDate') or was[2]}, and was to last from {was[1]} to {was[2]}: "
            f"{context.taught[one]:,} classes are taught in it, and nobody would be in them today. If that is meant, approve; else correct the dates."
        )
        stops.stop(
            "session_moved", sentence, "academicSessions", upserts=pl.col("sourcedId") == one
        )


def old_terms(stops: Stops, context: GuardContext, limits: GuardLimits) -> None:
    """Stop many new classes whose terms are over, with what is new in them: an export of long ago has them."""
    if context.settled is None or context.today is None or "classes" not in stops.parts:
        return
    new = with_columns_of(stops.created("classes"), ["termSourcedIds"])
    over = new.filter(
        all_over(new["termSourcedIds"], stops.ends, context.today.isoformat()).fill_null(
            value=False
        )
    )
    stops.read(
        LimitReading(
            "old_terms",
            "new classes of terms that are over",
            over.height,
            limits.created_records,
            context.total("classes"),
        )
    )
    if over.height <= limits.created_records:
        return
    sentence = (
        f"{over.height:,} new classes are of terms that are over ({_listed(_terms(over))}), more than {limits.created_records} records. "
        "See whether this export is an older one; if classes of the past are meant to come, approve."
    )
    ids = over["sourcedId"].implode()
    upserts = {"classes": pl.col("sourcedId").is_in(ids)}
    if (
        "enrollments" in stops.parts
        and "classSourcedId" in stops.parts["enrollments"].upserts.columns
    ):
        upserts["enrollments"] = pl.col("classSourcedId").is_in(ids)
    stops.stop("old_terms", sentence, *upserts, upserts=upserts)


def rollover(stops: Stops, context: GuardContext) -> None:
    """Stop what a new school year takes away while the terms of the old one still run: as one change, which is what it is."""
    if not {"classes", "enrollments"} <= stops.parts.keys():
        return
    gone, new = stops.gone("classes")["sourcedId"], stops.created("classes")
    old = context.records("classes", "termSourcedIds").filter(
        pl.col("sourcedId").is_in(gone.implode())
    )
    terms, next_terms = _terms(old), _terms(new) if "termSourcedIds" in new.columns else set()
    if (
        gone.len() * 2 <= context.total("classes")
        or new.height * 2 <= gone.len()
        or terms & next_terms
        or not terms
    ):
        return
    sentence = (
        f"This looks like the rollover to a new school year: {gone.len():,} classes of the terms {_listed(terms)} are gone and "
        f"{new.height:,} of {_listed(next_terms)} have come, but the old terms are not over yet. If the old year has ended, approve; "
        "else ask for an export that has both years."
    )
    stops.stop(
        "rollover", sentence, *(name for name in IN_SCHOOLS if name in stops.parts), removals=ALL
    )


def _terms(classes: pl.DataFrame) -> set[str]:
    return set(classes["termSourcedIds"].drop_nulls().str.split(",").explode())


def _listed(ids: set[str]) -> str:
    first = sorted(ids)[:FIRST]
    return ", ".join(first) + (f" and {len(ids) - FIRST:,} more" if len(ids) > FIRST else "")


def _deserted(stops: Stops, context: GuardContext) -> list[str]:
    """The schools all of whose records vanished."""
    frames = [stops.gone(name).select(SCHOOL) for name in IN_SCHOOLS if name in stops.parts]
    gone = (
        pl.concat([pl.DataFrame(schema={SCHOOL: pl.String}), *frames])
        .drop_nulls()
        .group_by(SCHOOL)
        .len()
    )
    there = (
        context.totals.filter(pl.col("entity").is_in(IN_SCHOOLS))
        .group_by("school")
        .agg(pl.col("records").sum())
    )
    lost = gone.join(there, left_on=SCHOOL, right_on="school").filter(
        pl.col("len") >= pl.col("records")
    )
    return sorted(lost[SCHOOL])


def still_named(stops: Stops, context: GuardContext) -> None:
    """Stop deletes of records that others name, if those stay: because they are held, rejected, or just not deleted."""
    for name in CHILDREN_FIRST:
        if name not in stops.parts:
            continue
        while stays := _children_that_stay(stops, context, name):
            parents = list(dict.fromkeys(parent for parent, _ in stays))
            first = ", ".join(child for _, child in stays[:FIRST]) + (
                ", …" if len(stays) > FIRST else ""
            )
            sentence = f"{name}: {len(parents):,} records are still named by {len(stays):,} that stay ({first})."
            stops.stop("still_named", sentence, name, removals=pl.col("sourcedId").is_in(parents))


def _children_that_stay(stops: Stops, context: GuardContext, name: str) -> list[tuple[str, str]]:
    """Pairs of a record to be deleted and one that names it and stays, as `entity:sourcedId`."""
    going = stops.going(name)
    children = context.children.filter(
        (pl.col("of") == name) & pl.col("parent").is_in(going.implode())
    )
    found = []
    for entity in children["entity"].unique().sort():
        gone, moved = set(stops.going(entity)), stops.moved(entity)
        for child, parent in (
            children.filter(entity=entity).select("sourcedId", "parent").iter_rows()
        ):
            if child not in gone and f"{name}:{parent}" in moved.get(child, f"{name}:{parent}"):
                found.append((parent, f"{entity}:{child}"))
    return found


def followers(stops: Stops, owners: dict[str, str]) -> None:
    """Stop deletes of records that follow one whose delete is stopped."""
    for name, owner in owners.items():
        if name in stops.parts and owner in stops.parts:
            held = stops.waiting_removals(owner)
            sentence = f"{name} wait with their {owner}."
            stops.stop(
                "follows", sentence, name, removals=pl.col("sourcedId").is_in(held.implode())
            )


# What fewer records had is nothing that an export lost; more than this share of them is.
FEWEST, MOST = 5, 0.5


def emptied_columns(stops: Stops, context: GuardContext) -> None:
    """Stop the updates by which most of the records lose, or change, a value whose column is gone or has run dry."""
    for name, columns in context.columns.items():
        for column, before in columns.items():
            if name in stops.parts and before.records >= FEWEST:
                _judge(stops, context, name, column, before)


def _judge(
    stops: Stops, context: GuardContext, name: str, column: str, before: ColumnHistory
) -> None:
    updates = stops.updates(name)
    now = updates.select(
        "sourcedId",
        (pl.col(column) if column in updates.columns else pl.lit(None, pl.String)).alias("now"),
    )
    met = now.join(context.records(name, column), on="sourcedId", how="inner").drop_nulls(column)
    # What a setting makes up in place of a missing column, such as an address, is no value of the export.
    lost = met.filter(
        pl.col("now").ne_missing(pl.col(column)) if before.missing else pl.col("now").is_null()
    )
    if lost.height < FEWEST or lost.height <= before.records * MOST:
        return
    said = "missing in this drop" if before.missing else f"blank for {lost.height:,} in this drop"
    strange = (
        f" New in {before.file}: {', '.join(before.strange)}. Did it take its place?"
        if before.strange
        else ""
    )
    where = f"{before.file}: " if before.file else f"{name}: "
    sentence = (
        f"{where}column {column} is {said}, and {before.records:,} {name} had a value in it.{strange} "
        "If it will not come again, approve; else correct the export."
    )
    stops.stop(
        "column_gone",
        sentence,
        name,
        upserts=(pl.col(ACTION) == "update")
        & pl.col("sourcedId").is_in(lost["sourcedId"].implode()),
    )


def left_behind(stops: Stops, context: GuardContext) -> None:
    """Stop removals of what a feed has sent too that no longer runs: it may be this one, under the name that it had."""
    for (feed, last, now, name), rows in context.left_behind.group_by(
        "feed", "last", "now", "entity", maintain_order=True
    ):
        sentence = (
            f"{name}: {rows.height:,} vanished that feed {feed} has sent too, which has most of this feed's {name} and last "
            f"ran {last}. If this feed was called {feed} before, move it: roster rename {feed} {now}. "
            "If they are two feeds, run the other one; to remove the records all the same, approve."
        )
        stops.stop(
            "feed_left_behind",
            sentence,
            str(name),
            removals=pl.col("sourcedId").is_in(rows["sourcedId"].implode()),
        )
