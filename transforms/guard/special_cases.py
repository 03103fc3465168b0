"""Cases that a person must always see, whatever the limits are. Each case has its own sentence."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from transforms.changes import ACTION, SCHOOL
from transforms.grammar import agree, count_of
from transforms.guard.amounts import HAS_LOSS, count_comparison
from transforms.guard.context import ColumnHistory, GuardContext, with_columns_of
from transforms.guard.harm import are_terms_over
from transforms.guard.holds import ALL, LOSS, REMOVAL_ACTIONS, GuardReview, RecordKind
from transforms.guard.limits import GuardLimits, LimitReading
from transforms.guard.moves import to_other_schools
from transforms.schemas import ENTITIES

FIRST = 3
IN_SCHOOLS = ("users", "classes", "enrollments")
CHILDREN_FIRST = tuple(
    reversed([name for name, entity in ENTITIES.items() if not entity.folds_into])
)
# A column counts as lost only if at least so many records, and more than this share of them, lose
# their value.
FEWEST, MOST = 5, 0.5


def hold_whole_run(stops: GuardReview, context: GuardContext) -> None:
    """Hold everything, if it is the wrong time, the wrong drop or the wrong target.

    That is: a blackout or an onboarding, a drop older than the last one or from the future, a
    target that already has these records.
    """
    if context.blackout:
        _everything(
            stops,
            "blackout",
            f"Nothing is sent until {context.blackout} is over: the feed file says so.",
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
            "Send it only if you want older records to replace newer ones.",
        )
    if context.twin:
        _everything(
            stops,
            "older_drop",
            f"This drop is, to the last cell, the one of {context.twin}, and others were loaded "
            "since. Send it only if you want older records to replace newer ones.",
        )
    if context.dated and context.today and context.dated > context.today + timedelta(days=1):
        _everything(
            stops,
            "future_drop",
            f"This drop is of {context.dated}, and today is {context.today}. "
            "Correct its name, or its date in the feed file.",
        )
    if context.strangers:
        _everything(
            stops,
            "not_ours_yet",
            f"This feed has no ledger yet, and the target already holds {context.strangers:,} of "
            "the records that were looked up. If they are this district's, run `roster adopt` "
            "first; if not, find out whose they are, and load with --first-run.",
        )


def _everything(stops: GuardReview, rule: str, sentence: str) -> None:
    stops.stop(rule, sentence, *stops.parts, removals=ALL, upserts=ALL)


def hold_emptied_entities(stops: GuardReview, context: GuardContext) -> None:
    """Hold removals if a file that had rows before has none."""
    for name, _ in list(stops.counted()):
        if stops.parts[name].emptied:
            sentence = (
                f"{name}: the drop has no records at all, and {context.total(name):,} "
                f"{agree(context.total(name), 'were')} loaded before. Find out why the export "
                "came out empty."
            )
            stops.stop("emptied", sentence, name, removals=ALL)


def hold_missing_files(stops: GuardReview, context: GuardContext) -> None:
    """Hold removals if a file or a column is missing that had such records before."""
    for name, vanished in list(stops.counted()):
        if lacking := ", ".join(stops.parts[name].lacking):
            sentence = (
                f"{name}: {lacking} had such records before, and is missing or empty; "
                f"{vanished:,} of {context.total(name):,} vanished. Find out why. If it "
                "will not come back, approve, and name it in `without` under [source]."
            )
            stops.stop("file_gone", sentence, name, removals=ALL)


def hold_lost_zeros(stops: GuardReview) -> None:
    """Hold new records and removals whose ids differ by zeros that a spreadsheet removed."""
    for name, _ in list(stops.counted()):
        part = stops.parts[name]
        gone = part.of(*REMOVAL_ACTIONS)["sourcedId"]
        new = part.upserts.filter(pl.col(ACTION) == "create")["sourcedId"]
        alike = set(gone.str.strip_chars_start("0")) & set(new.str.strip_chars_start("0"))
        if not alike:
            continue
        bare = pl.col("sourcedId").str.strip_chars_start("0").is_in(list(alike))
        sentence = (
            f"{name}: {count_of(len(alike), 'ids')} {agree(len(alike), 'differ')} from those "
            "loaded before by leading zeros only. Export ids again as text, with their zeros."
        )
        stops.stop(
            "id_width", sentence, name, removals=bare, upserts=bare & (pl.col(ACTION) == "create")
        )


def hold_moved_sessions(stops: GuardReview, context: GuardContext) -> None:
    """Hold updates that end or postpone a session with classes: it takes them from everybody."""
    if "academicSessions" not in stops.parts:
        return
    harmed = stops.taken(RecordKind("academicSessions")).drop_nulls(LOSS)["sourcedId"]
    ids = list(set(harmed) & context.taught.keys())
    updates = stops.parts["academicSessions"].upserts.filter(pl.col("sourcedId").is_in(ids))
    for row in updates.sort("sourcedId").iter_rows(named=True):
        one, name = row["sourcedId"], row.get("title") or ""
        was = (
            context.records("academicSessions", "startDate", "endDate").filter(sourcedId=one).row(0)
        )
        taught = context.taught[one]
        sentence = (
            f"Session {name} ({one}) would last from {row.get('startDate') or was[1]} to "
            f"{row.get('endDate') or was[2]}, and was to last from {was[1]} to {was[2]}: "
            f"{count_of(taught, 'classes')} {agree(taught, 'are')} taught in it, and nobody would "
            f"be in {agree(taught, 'them')} today. "
            "If that is intended, approve; otherwise correct the dates."
        )
        stops.stop(
            "session_moved", sentence, "academicSessions", upserts=pl.col("sourcedId") == one
        )


def hold_replaced_ids(stops: GuardReview) -> None:
    """Hold new records and removals of an entity if all ids changed and no rule matched them."""
    for name, part in stops.parts.items():
        vanished, new = stops.gone(name).height, stops.created(name).height
        only_new = new and new == part.upserts.height and not part.counts.get("unchanged")
        if vanished > 1 and part.whole and only_new:
            sentence = (
                f"{name}: all {vanished:,} ids are gone and {count_of(new, 'others')} "
                f"{agree(new, 'are')} there. If these are the same {name} with new ids, say so in "
                "ids.csv (old,new), and their ids in the target stay as they are."
            )
            stops.stop("rekeyed", sentence, name, removals=ALL, upserts=pl.col(ACTION) == "create")


def hold_emptied_columns(stops: GuardReview, context: GuardContext) -> None:
    """Hold the updates of a column that is missing or blank, if most records lose their value."""
    for name, columns in context.columns.items():
        for column, before in columns.items():
            if name in stops.parts and before.records >= FEWEST:
                _hold_emptied_column(stops, context, name, column, before)


def _hold_emptied_column(
    stops: GuardReview, context: GuardContext, name: str, column: str, before: ColumnHistory
) -> None:
    updates = stops.updates(name)
    value = pl.col(column) if column in updates.columns else pl.lit(None, pl.String)
    now = updates.select("sourcedId", value.alias("now"))
    met = now.join(context.records(name, column), on="sourcedId", how="inner").drop_nulls(column)
    # If the column is missing, a setting may fill it, such as an address. That is no value of the
    # export.
    lost = met.filter(
        pl.col("now").ne_missing(pl.col(column)) if before.missing else pl.col("now").is_null()
    )
    if lost.height < FEWEST or lost.height <= before.records * MOST:
        return
    said = "missing in this drop" if before.missing else f"blank for {lost.height:,} in this drop"
    strange = ""
    if before.strange:
        strange = f" New in {before.file}: {', '.join(before.strange)}. Did it take its place?"
    where = f"{before.file}: " if before.file else f"{name}: "
    sentence = (
        f"{where}column {column} is {said}, and {before.records:,} {name} had a value in it."
        f"{strange} If it will not come again, approve; else correct the export."
    )
    ids = pl.col("sourcedId").is_in(lost["sourcedId"].implode())
    stops.stop("column_gone", sentence, name, upserts=(pl.col(ACTION) == "update") & ids)


def hold_rollover(stops: GuardReview, context: GuardContext) -> None:
    """Hold the removals of a new school year while the old terms still run, as one change."""
    if not {"classes", "enrollments"} <= stops.parts.keys():
        return
    gone, new = stops.gone("classes")["sourcedId"], stops.created("classes")
    known = context.records("classes", "termSourcedIds")
    old = known.filter(pl.col("sourcedId").is_in(gone.implode()))
    terms, next_terms = _term_ids(old), _term_ids(new) if "termSourcedIds" in new.columns else set()
    if (
        gone.len() * 2 <= context.total("classes")
        or new.height * 2 <= gone.len()
        or terms & next_terms
        or not terms
    ):
        return
    sentence = (
        "This looks like the rollover to a new school year: "
        f"{count_of(gone.len(), 'classes')} of the terms {_first_of(terms)} "
        f"{agree(gone.len(), 'are')} gone and {new.height:,} of {_first_of(next_terms)} "
        f"{agree(new.height, 'have')} come, "
        "but the old terms are not over yet. If the old year has ended, approve; "
        "else ask for an export that has both years."
    )
    entities = [name for name in IN_SCHOOLS if name in stops.parts]
    stops.stop("rollover", sentence, *entities, removals=ALL)


def hold_old_terms(stops: GuardReview, context: GuardContext, limits: GuardLimits) -> None:
    """Hold many new classes of past terms, and their new enrollments: the export may be old."""
    if context.settled is None or context.today is None or "classes" not in stops.parts:
        return
    new = with_columns_of(stops.created("classes"), ["termSourcedIds"])
    over = new.filter(
        are_terms_over(new["termSourcedIds"], stops.ends, context.today.isoformat()).fill_null(
            value=False
        )
    )
    most, total = limits.created_records, context.total("classes")
    what = "new classes of terms that are over"
    stops.read(LimitReading("old_terms", what, over.height, most, total))
    if over.height <= most:
        return
    sentence = (
        f"{count_of(over.height, 'new classes')} {agree(over.height, 'are')} of terms that are "
        f"over ({_first_of(_term_ids(over))}), more than {count_of(most, 'records')}. "
        "Check whether this export is an older one; if you want to load classes of the past, "
        "approve."
    )
    ids = over["sourcedId"].implode()
    upserts = {"classes": pl.col("sourcedId").is_in(ids)}
    if (
        "enrollments" in stops.parts
        and "classSourcedId" in stops.parts["enrollments"].upserts.columns
    ):
        upserts["enrollments"] = pl.col("classSourcedId").is_in(ids)
    stops.stop("old_terms", sentence, *upserts, upserts=upserts)


def _term_ids(classes: pl.DataFrame) -> set[str]:
    """Return the ids of all terms of some classes."""
    return set(classes["termSourcedIds"].drop_nulls().str.split(",").explode())


def _first_of(ids: set[str]) -> str:
    first = sorted(ids)[:FIRST]
    return ", ".join(first) + (f" and {len(ids) - FIRST:,} more" if len(ids) > FIRST else "")


def hold_missing_schools(stops: GuardReview, context: GuardContext) -> None:
    """Hold the changes of a school that is missing from the drop, and of its people elsewhere."""
    movers = to_other_schools(stops, context) if "users" in stops.parts else None
    gone = list(stops.gone("orgs")["sourcedId"]) if "orgs" in stops.parts else []
    for school in dict.fromkeys([*gone, *_empty_schools(stops, context)]):
        said = "is no longer in the drop" if school in gone else "has no record left in the drop"
        users = context.of_schools("users").filter(pl.col("school") == school)
        people = int(users["records"].sum())
        users_of_it = f"{count_of(people, 'users')} {agree(people, 'belong')} to it"
        of_it = f", and {users_of_it}" if people else ""
        counts = count_comparison("users", stops, context) if "users" in stops.parts else ""
        sentence = (
            f"School {context.name('orgs', school)} {said}{of_it}.{counts} "
            "If it was closed or left the district, approve; else correct the export."
        )
        of_school = (pl.col(SCHOOL) == school) | (
            (pl.col("sourcedId") == school) & pl.lit(value=school in gone)
        )
        upserts = dict.fromkeys(stops.parts, of_school & HAS_LOSS)
        if movers is not None:
            ids = movers.filter(was=school)["sourcedId"].implode()
            upserts["users"] |= pl.col("sourcedId").is_in(ids)
            if (
                "enrollments" in upserts
                and "userSourcedId" in stops.parts["enrollments"].upserts.columns
            ):
                theirs = pl.col("userSourcedId").is_in(ids)
                upserts["enrollments"] |= (pl.col(ACTION) == "create") & theirs
        stops.stop(
            "school_missing",
            sentence,
            *stops.parts,
            school=school,
            removals=of_school,
            upserts=upserts,
        )


def _empty_schools(stops: GuardReview, context: GuardContext) -> list[str]:
    """Return the schools all of whose records are removed."""
    frames = [stops.gone(name).select(SCHOOL) for name in IN_SCHOOLS if name in stops.parts]
    gone = pl.concat([pl.DataFrame(schema={SCHOOL: pl.String}), *frames])
    counts = gone.drop_nulls().group_by(SCHOOL).len()
    totals = context.totals.filter(pl.col("entity").is_in(IN_SCHOOLS))
    there = totals.group_by("school").agg(pl.col("records").sum())
    lost = counts.join(there, left_on=SCHOOL, right_on="school").filter(
        pl.col("len") >= pl.col("records")
    )
    return sorted(lost[SCHOOL])


def hold_left_behind(stops: GuardReview, context: GuardContext) -> None:
    """Hold removals of records that a feed which no longer runs has sent too.

    Perhaps that feed is this one, under an earlier name.
    """
    for (feed, last, now, name), rows in context.left_behind.group_by(
        "feed", "last", "now", "entity", maintain_order=True
    ):
        sentence = (
            f"{name}: {rows.height:,} vanished that feed {feed} has sent too, which has most of "
            f"this feed's {name} and last ran {last}. If this feed was called {feed} before, move "
            f"it: roster rename {feed} {now}. If they are two feeds, run the other one; "
            "to remove the records anyway, approve."
        )
        ids = pl.col("sourcedId").is_in(rows["sourcedId"].implode())
        stops.stop("feed_left_behind", sentence, str(name), removals=ids)


def hold_parents_of_others(stops: GuardReview, context: GuardContext) -> None:
    """Hold deletions of records that others name and that stay: held, rejected, or not deleted."""
    for name in CHILDREN_FIRST:
        if name not in stops.parts:
            continue
        while stays := _children_that_stay(stops, context, name):
            parents = list(dict.fromkeys(parent for parent, _ in stays))
            first = ", ".join(child for _, child in stays[:FIRST])
            first += ", …" if len(stays) > FIRST else ""
            sentence = (
                f"{name}: {count_of(len(parents), 'records')} {agree(len(parents), 'are')} still "
                f"named by {len(stays):,} that {agree(len(stays), 'stay')} ({first})."
            )
            stops.stop("still_named", sentence, name, removals=pl.col("sourcedId").is_in(parents))


def _children_that_stay(
    stops: GuardReview, context: GuardContext, name: str
) -> list[tuple[str, str]]:
    """Return pairs: a record to be deleted, and a record that names it (`entity:sourcedId`)."""
    going = stops.going(name)
    children = context.children.filter(
        (pl.col("of") == name) & pl.col("parent").is_in(going.implode())
    )
    found = []
    for entity in children["entity"].unique().sort():
        gone, moved = set(stops.going(entity)), stops.moved(entity)
        rows = children.filter(entity=entity).select("sourcedId", "parent").iter_rows()
        for child, parent in rows:
            if child not in gone and f"{name}:{parent}" in moved.get(child, f"{name}:{parent}"):
                found.append((parent, f"{entity}:{child}"))
    return found


def hold_followers(stops: GuardReview, owners: dict[str, str]) -> None:
    """Hold removals of records that belong to an owner whose removal is held."""
    for name, owner in owners.items():
        if name in stops.parts and owner in stops.parts:
            held = stops.waiting_removals(owner)
            sentence = f"{name} are held with their {owner}."
            ids = pl.col("sourcedId").is_in(held.implode())
            stops.stop("follows", sentence, name, removals=ids)
