"""Canvas SIS import: any of its files, in any drop.

- A drop is no snapshot: its rows are added, and rows with status `deleted` delete a record.
  `completed` is no deletion: the person was in the class, and the enrollment has an end.
- Timestamps without an offset are in UTC.
- Accounts with accounts below them are districts; the others are schools.
- People have the roles that they have in classes. Without any, `declared_user_type` is their role
  in the whole district.
- A cross-listed section belongs to its new course, until a row says that it no longer does.
- An enrollment with a course but no section is in a class that is made for that course.
- `change_sis_id` changes ids; the target keeps the old ones.
- A delta needs courses.csv beside sections.csv, for the school and the term of each section.

Source: Canvas documentation, `sis_csv`.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from transforms.findings import Findings, row_findings
from transforms.layouts import (
    Cell,
    File,
    Frames,
    Join,
    Layout,
    ReadingOptions,
    blank,
    both,
    class_role,
    constant,
    day_after,
    derived,
    district,
    family_name,
    filled,
    first,
    given_name,
    is_any,
    is_none,
    one_of,
    role,
    rows,
    status,
    text,
    texts,
    utc_date,
)
from transforms.layouts.ids import in_source_ids

OBSERVERS = ("observer", "ObserverEnrollment")
GONE = ("deleted", "inactive")
# A column that `prepare` adds: the account has courses.
TEACHES = "#teaches"
# A column that `prepare` adds: the last day of the class of an enrollment.
CLASS_END = "#class_end"
ENDS_OF = {
    "sections": ("section_id", "course_id", "end_date"),
    "courses": ("course_id", "term_id", "end_date"),
    "terms": ("term_id", "end_date"),
}
IS_COMPLETED = (
    pl.col("status").str.strip_chars().str.to_lowercase().is_in(["completed", "concluded"])
)
ENTITIES = {
    "account": "orgs",
    "term": "academicSessions",
    "course": "courses",
    "section": "classes",
    "user": "users",
}


def _account_type() -> Cell:
    """Return `district` for an account above others, and `school` for one below another.

    An account with courses is a school too. Blank for any other account.
    """

    def of(_: ReadingOptions) -> pl.Expr:
        above = pl.col("account_id").is_in(pl.col("parent_account_id").drop_nulls().implode())
        school = pl.col("parent_account_id").is_not_null() | pl.col(TEACHES).is_not_null()
        return pl.when(above).then(pl.lit("district")).when(school).then(pl.lit("school"))

    return Cell(("account_id", "parent_account_id", TEACHES), of, inferred=True)


ACCOUNTS = File(
    "accounts",
    required=("account_id", "parent_account_id", "name", "status"),
    gives=(
        rows(
            "orgs",
            sourcedId=text("account_id"),
            status=status("status"),
            name=text("name"),
            type=_account_type(),
            identifier=text("integration_id"),
            parentSourcedId=text("parent_account_id"),
        ),
    ),
)

TERMS = File(
    "terms",
    required=("term_id", "name", "status"),
    gives=(
        rows(
            "academicSessions",
            sourcedId=text("term_id"),
            status=status("status"),
            title=text("name"),
            type=constant("term"),
            startDate=utc_date("start_date"),
            endDate=day_after(utc_date("end_date")),
        ),
    ),
    ignored=("integration_id", "date_override_enrollment_type"),
)

COURSES = File(
    "courses",
    required=("course_id", "short_name", "long_name", "status"),
    gives=(
        rows(
            "courses",
            sourcedId=text("course_id"),
            status=status("status"),
            title=first(text("long_name"), text("short_name")),
            courseCode=text("short_name"),
            orgSourcedId=first(text("account_id"), district()),
        ),
    ),
    reads=("end_date",),
    ignored=(
        "integration_id", "start_date", "course_format", "blueprint_course_id",
        "grade_passback_setting", "homeroom_course", "friendly_name",
    ),
)  # fmt: skip

OF_COURSE = Join(
    "courses", on="course_id", key="course_id", columns=("account_id", "term_id", "long_name")
)

SECTIONS = File(
    "sections",
    required=("section_id", "course_id", "name", "status"),
    gives=(
        rows(
            "classes",
            sourcedId=text("section_id"),
            status=status("status"),
            title=text("name"),
            courseSourcedId=text("course_id"),
            schoolSourcedId=first(text("courses.account_id"), district()),
            termSourcedIds=text("courses.term_id"),
        ),
    ),
    reads=("end_date",),
    ignored=("integration_id", "start_date"),
    joins=(OF_COURSE,),
)

USERS = File(
    "users",
    required=("user_id", "login_id", "status"),
    gives=(
        rows(
            "users",
            sourcedId=text("user_id"),
            status=status("status"),
            enabledUser=one_of(
                "status", {"active": "true", "deleted": "true", "suspended": "false"}
            ),
            username=text("login_id"),
            givenName=first(
                text("first_name"), given_name("sortable_name"), given_name("full_name")
            ),
            familyName=first(
                text("last_name"), family_name("sortable_name"), family_name("full_name")
            ),
            identifier=text("integration_id"),
            email=text("email"),
            agentSourcedIds=texts("user_observers.observer_id"),
            password=text("password"),
            pronouns=text("pronouns"),
        ),
        rows(
            "roles",
            given="declared_user_type",
            where=is_none("status", *GONE),
            presumed=True,
            userSourcedId=text("user_id"),
            orgSourcedId=district(),
            role=role("declared_user_type"),
        ),
    ),
    ignored=(
        "ssha_password", "short_name", "authentication_provider_id", "canvas_password_notification",
        "home_account", "root_account", "existing_user_id", "existing_integration_id",
        "existing_canvas_user_id",
    ),
    aliases={"pronouns": ("pronoun",)},
    joins=(
        Join(
            "user_observers",
            on="user_id",
            key="student_id",
            columns=("observer_id",),
            all_of_them=True,
        ),
    ),
)  # fmt: skip

DEFAULT_CLASS = derived("class", text("course_id"))
NO_OBSERVER = is_none("role", *OBSERVERS)


def _end() -> Cell:
    """Return the day after the last of an enrollment.

    A completed one without a last day has that of its class, if the class is over.
    """
    own, of_class = day_after(utc_date("end_date")), day_after(utc_date(CLASS_END))

    def of(dialect: ReadingOptions) -> pl.Expr:
        end = of_class.of(dialect)
        is_over = IS_COMPLETED & (end <= dialect.today.isoformat())
        return pl.coalesce(own.of(dialect), pl.when(is_over).then(end))

    return Cell((*own.reads, CLASS_END, "status"), of, dates=own.dates)


ENROLLMENTS = File(
    "enrollments",
    required=("user_id", "status"),
    gives=(
        rows(
            "classes",
            where=both(
                blank("section_id"), filled("course_id"), NO_OBSERVER, is_none("status", *GONE)
            ),
            derived=True,
            sourcedId=DEFAULT_CLASS,
            title=text("courses.long_name"),
            courseSourcedId=text("course_id"),
            schoolSourcedId=first(text("courses.account_id"), district()),
            termSourcedIds=text("courses.term_id"),
        ),
        rows(
            "enrollments",
            where=NO_OBSERVER,
            classSourcedId=first(text("section_id"), DEFAULT_CLASS),
            status=status("status"),
            userSourcedId=text("user_id"),
            role=first(class_role("role"), class_role("role_id")),
            beginDate=utc_date("start_date"),
            endDate=_end(),
        ),
        rows(
            "roles",
            where=both(is_any("role", *OBSERVERS), is_none("status", *GONE)),
            userSourcedId=text("user_id"),
            orgSourcedId=district(),
            role=constant("guardian"),
        ),
    ),
    reads=("associated_user_id",),
    ignored=("root_account", "limit_section_privileges", "notify"),
    joins=(OF_COURSE,),
)

USER_OBSERVERS = File(
    "user_observers",
    beside="users",
    required=("observer_id", "student_id", "status"),
    gives=(
        rows(
            "roles",
            where=is_none("status", *GONE),
            userSourcedId=text("observer_id"),
            orgSourcedId=district(),
            role=constant("guardian"),
        ),
    ),
)

XLISTS = File("xlists", required=("xlist_course_id", "section_id", "status"), beside="sections")

CHANGES = File(
    "change_sis_id",
    required=("old", "new", "entity"),
    aliases={"old": ("old_id",), "new": ("new_id",), "entity": ("type",)},
    ignored=("old_integration_id", "new_integration_id"),
)

# Files that have nothing to do with a roster.
OTHERS = tuple(
    File(name, ignored=("*",))
    for name in (
        "groups",
        "groups_membership",
        "group_categories",
        "admins",
        "logins",
        "abstract_courses",
    )
)


def _prepare(frames: Frames, dialect: ReadingOptions) -> Frames:
    """Rearrange what several files say together, or what cells cannot express."""
    frames = dict(frames)
    if "change_sis_id" in frames:
        frames["change_sis_id"] = _id_changes(frames["change_sis_id"])
    if "accounts" in frames and "courses" in frames:
        frames["accounts"] = _with_teaching(
            frames["accounts"], frames["courses"]["account_id"].drop_nulls()
        )
    if "user_observers" in frames or "enrollments" in frames:
        frames["user_observers"] = _observers(frames)
    if "enrollments" in frames:
        frames["enrollments"] = _with_ends_of_classes(frames)
    if "sections" in frames:
        frames["sections"] = _cross_listed(frames, dialect)
    return frames


def _with_teaching(accounts: pl.DataFrame, course_accounts: pl.Series) -> pl.DataFrame:
    """Mark the accounts that have courses.

    If the drop has every account with courses, all accounts are marked: then an account that is
    above and below no other is a school too.
    """
    has_courses = pl.col("account_id").is_in(course_accounts.implode())
    complete = course_accounts.is_in(accounts["account_id"].implode()).all()
    teaches = pl.when(has_courses | pl.lit(complete)).then(pl.lit("true"))
    return accounts.with_columns(teaches.alias(TEACHES))


def _observers(frames: Frames) -> pl.DataFrame:
    """The observers of students that are not deleted.

    They are in the file of observers, and in enrollments of observers that name a student.
    """
    names = ("observer_id", "student_id", "status")
    sources = [frames["user_observers"]] if "user_observers" in frames else []
    if "enrollments" in frames:
        rows = frames["enrollments"].filter(
            pl.col("role").str.to_lowercase().is_in([word.lower() for word in OBSERVERS])
            & pl.col("associated_user_id").is_not_null()
        )
        sources.append(
            rows.select(
                "#row", observer_id="user_id", student_id="associated_user_id", status="status"
            )
        )
    links = pl.concat([source.select("#row", *names) for source in sources])
    return links.filter(~pl.col("status").str.to_lowercase().is_in(GONE).fill_null(value=False))


def _with_ends_of_classes(frames: Frames) -> pl.DataFrame:
    """Add the last day of each enrollment's class: of its section, or else its course or term."""
    rows = frames["enrollments"]
    sections, courses, terms = (
        frames[name] if name in frames else pl.DataFrame(schema=dict.fromkeys(columns, pl.String))
        for name, columns in ENDS_OF.items()
    )
    ends = _by_key(terms, "term_id", term_end="end_date")
    ends = _by_key(courses, "course_id", "term_id", course_end="end_date").join(
        ends, on="term_id", how="left"
    )
    own = _by_key(sections, "section_id", of_section="course_id", section_end="end_date")
    rows = rows.select("#row", "section_id", "course_id").join(
        own, on="section_id", how="left", maintain_order="left"
    )
    rows = rows.with_columns(pl.coalesce("of_section", "course_id").alias("course_id"))
    rows = rows.join(ends, on="course_id", how="left", maintain_order="left")
    last = rows.select(pl.coalesce("section_end", "course_end", "term_end")).to_series()
    return frames["enrollments"].with_columns(last.alias(CLASS_END))


def _by_key(frame: pl.DataFrame, key: str, *columns: str, **renamed: str) -> pl.DataFrame:
    """Some columns of a file, with one row for each key."""
    rows = frame.select(key, *columns, **{new: pl.col(name) for new, name in renamed.items()})
    return rows.drop_nulls(key).unique(key, keep="first", maintain_order=True)


def _cross_listed(frames: Frames, dialect: ReadingOptions) -> pl.DataFrame:
    """Move cross-listed sections to their new course, also those of earlier drops."""
    renamed = _renamed(frames, dialect)
    new_ids = {(entity, was): new for (entity, new), was in renamed.items()}
    known = {
        one.removeprefix(dialect.prefix): course.removeprefix(dialect.prefix)
        for one, course in dialect.cross_listed.items()
    }
    courses = {
        new_ids.get(("classes", one), one): new_ids.get(("courses", course), course)
        for one, course in {**known, **_cross_lists(frames, dialect)}.items()
        if course
    }
    course = pl.col("section_id").replace_strict(courses, default=None, return_dtype=pl.String)
    return frames["sections"].with_columns(course_id=pl.coalesce(course, "course_id"))


def _cross_lists(frames: Frames, dialect: ReadingOptions) -> dict[str, str]:
    """The new course of each section in xlists.csv, or blank where the section moves back."""
    if "xlists" not in frames:
        return {}
    renamed = _renamed(frames, dialect)
    gone = pl.col("status").str.to_lowercase().is_in(GONE).fill_null(value=False)
    # A row that moves a section counts more than one that ends another cross-list of it.
    lines = frames["xlists"].with_columns(gone.alias("#gone")).sort("#gone", descending=True)
    pairs = lines.select("section_id", "xlist_course_id", "#gone").drop_nulls()
    return {
        renamed.get(("classes", section), section): ""
        if over
        else renamed.get(("courses", course), course)
        for section, course, over in pairs.iter_rows()
    }


def _renamed(frames: Frames, dialect: ReadingOptions) -> dict[tuple[str, str], str]:
    """The ids that the target knows, of earlier drops and of this one: by entity and new id."""
    known = dict(in_source_ids(dialect.renamed, dialect.prefix))
    if "change_sis_id" in frames:
        lines = frames["change_sis_id"].select("entity", "old", "new")
        known |= {(entity, new): known.get((entity, old), old) for entity, old, new in lines.rows()}
    return known


def _report(frames: Frames, names: Mapping[str, str], dialect: ReadingOptions) -> list[Findings]:
    """Report completed enrollments whose end nothing says."""
    if "enrollments" not in frames:
        return []
    rows = frames["enrollments"].filter(
        IS_COMPLETED & NO_OBSERVER.of(dialect) & _end().of(dialect).is_null()
    )
    return [
        row_findings(
            "completed_undated",
            rows,
            file=names["enrollments"],
            entity="enrollments",
            column="end_date",
        )
    ]


def _id_changes(changes: pl.DataFrame) -> pl.DataFrame:
    """The complete id changes, with OneRoster's names of the entities."""
    complete = changes.filter(pl.col("old").is_not_null() & pl.col("new").is_not_null())
    return complete.with_columns(entity=pl.col("entity").str.to_lowercase().replace(ENTITIES))


LAYOUT = Layout(
    "canvas",
    "Canvas SIS import",
    files=(
        ACCOUNTS,
        TERMS,
        COURSES,
        SECTIONS,
        USERS,
        ENROLLMENTS,
        USER_OBSERVERS,
        XLISTS,
        CHANGES,
        *OTHERS,
    ),
    district=True,
    roles_from_enrollments=True,
    enrolled_once=True,
    prepare=_prepare,
    cross_lists=_cross_lists,
    report=_report,
    renames="change_sis_id",
    made={"classes": ("class", "courses")},
)
