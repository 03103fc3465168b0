"""Ids that two people have, because two files number their people separately.

Students and staff may each be numbered from 1. A layout puts both into one id space, so a student
and a teacher may have the same id. If they cannot be the same person, one of them is set apart: the
name of the file is written before the id, `teachers/1001`, in every reference too.

Which one is set apart depends on the files alone: never on the order of rows. Nobody's id changes
later. Whoever the target has under an id of either kind keeps that id, also when the other person
is gone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import PurePath

import polars as pl

from transforms.binding.names import comparable_name
from transforms.findings import ROW, SPAN, Findings, row_findings
from transforms.layouts.assemble import NAMES, EntityRows, RowsByEntity
from transforms.layouts.complete import ROLE_OF
from transforms.layouts.ids import escape
from transforms.layouts.layout import File, Layout
from transforms.layouts.options import ReadingOptions
from transforms.layouts.people import ADDRESS, BIRTH_DATE, NAME, with_evidence
from transforms.names import comparable, without_accents
from transforms.schemas import ENTITIES, Column

STUDENT, FAMILY = "student", frozenset({"guardian", "parent", "relative"})
# Nobody is a teacher, an aide or a guardian below this age.
ADULT = 16
# Written behind a reference if it is not certain who is meant, so that its row is rejected.
OF_SEVERAL = " (of several people)"
_ID = r"^[0-9A-Za-z.\-_/@]*[0-9A-Za-z][0-9A-Za-z.\-_/@]*$"
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

# A file, and the columns in which it has the ids.
RangeKey = tuple[str, tuple[str, ...]]
# The number of a range, and an id as the file has it.
Numbered = tuple[int, str]


@dataclass(frozen=True)
class IdRange:
    """The ids that one file has for one kind of people."""

    name: str  # written before an id that is set apart
    role: str  # of all these people; blank if they may have different ones
    last: bool  # the feed file says that these people are set apart, and the others keep their ids

    def set_apart(self, sourced_id: str) -> str:
        """Return another id for a person whose id belongs to somebody else."""
        return f"{self.name}/{sourced_id}"


@dataclass(frozen=True)
class _Person:
    """What is known of the person whom the rows of one file describe."""

    range: IdRange
    names: frozenset[str]
    words: frozenset[str]  # of the names
    births: frozenset[str]
    accounts: tuple[frozenset[str], ...]  # email addresses, and usernames
    is_child: bool

    def is_same_as(self, other: _Person) -> bool:
        """Whether a name, the birth date or an address is the same."""
        pairs = zip(self._signs, other._signs, strict=True)
        return any(mine & theirs for mine, theirs in pairs)

    def is_certainly_not(self, other: _Person) -> bool:
        """Whether two people must be different: by their names, and by something else.

        That is the birth date, or an account if no part of the names is the same, or that a child
        has no job. References do not say which of two people with the same role is meant.
        """
        if self.range.role == other.range.role or self.is_same_as(other):
            return False
        if not (self.names and other.names):
            return False
        pairs = zip(self.accounts, other.accounts, strict=True)
        return (
            bool(self.births and other.births)
            or (not self.words & other.words and any(mine and theirs for mine, theirs in pairs))
            or self._is_too_young_for(other)
            or other._is_too_young_for(self)
        )

    @property
    def _signs(self) -> tuple[frozenset[str], ...]:
        return (self.names, self.births, *self.accounts)

    def _is_too_young_for(self, other: _Person) -> bool:
        is_student = self.is_child and self.range.role == STUDENT
        return is_student and other.range.role not in ("", STUDENT)


def range_keys(layout: Layout) -> tuple[RangeKey, ...]:
    """Return the columns in which a layout has ids of people, in its order.

    Ids that the layout makes itself are of their own kind already.
    """
    cells = (
        (file.name, rows.columns["sourcedId"])
        for file in layout.files
        for rows in file.gives
        if rows.entity == "users" and "sourcedId" in rows.columns
    )
    return tuple(dict.fromkeys((name, cell.reads) for name, cell in cells if not cell.made))


def set_ids_apart(
    parts: RowsByEntity, layout: Layout, dialect: ReadingOptions
) -> tuple[RowsByEntity, list[Findings]]:
    """Set people apart whose id belongs to another person, with everything that refers to them."""
    users, keys = parts.get("users"), range_keys(layout)
    if users is None or len(keys) < 2:
        return parts, []
    ranges = _ranges(layout, keys, dialect)
    numbers = _numbers(users, "sourcedId", keys)
    people = users.frame.select(
        "sourcedId", range=(pl.col(ROW) // SPAN).replace_strict(numbers, default=None)
    )
    people = people.drop_nulls().unique().filter(pl.col("sourcedId").str.contains(_ID))
    known = _known(people, ranges, dialect)
    several = people.filter(pl.col("sourcedId").is_duplicated())["sourcedId"].unique()
    decided, unclear = _decide(
        users, parts.get("demographics"), numbers, several, ranges, known, dialect
    )
    findings = [
        row_findings(
            "id_of_two",
            users.frame.filter(pl.col("sourcedId").is_in(unclear)),
            file=users.file,
            entity="users",
            column="sourcedId",
            value="sourcedId",
        )
    ]
    # An id that the source itself has never becomes that of somebody else.
    own = frozenset(people.filter(pl.col("sourcedId").str.contains("/"))["sourcedId"])
    apart = {key: one for key, one in {**known, **decided}.items() if one not in own}
    if not apart:
        return parts, findings
    having: dict[str, set[int]] = {}
    for number, one in (*((n, i) for i, n in people.rows()), *apart):
        having.setdefault(one, set()).add(number)
    meant = _References(ranges, apart, having)
    done = {name: _with_ids_apart(name, part, keys, meant) for name, part in parts.items()}
    changed = users.frame["sourcedId"].ne_missing(done["users"].frame["sourcedId"])
    findings.append(
        row_findings(
            "ids_apart",
            done["users"].frame.filter(changed),
            file=users.file,
            entity="users",
            column="sourcedId",
            value="sourcedId",
        )
    )
    new = {one for _, one in decided} - {one for _, one in known}
    return done | {
        "users": replace(done["users"], contested=frozenset(dialect.prefix + one for one in new))
    }, findings


def _ranges(
    layout: Layout, keys: tuple[RangeKey, ...], dialect: ReadingOptions
) -> tuple[IdRange, ...]:
    last = {comparable_name(PurePath(name).stem) for name in dialect.set_apart}
    files = {file.name: file for file in layout.files}
    first = {name: key for name, *key in reversed(keys)}
    return tuple(
        IdRange(
            escape((name if [columns] == first[name] else ".".join((name, *columns))).lower()),
            _role(files[name], columns, dialect),
            comparable_name(name) in last,
        )
        for name, columns in keys
    )


def _role(file: File, columns: tuple[str, ...], dialect: ReadingOptions) -> str:
    """The role that a file gives to all people of one range; blank if there is no single one."""
    cells = [
        rows.columns.get("role")
        for rows in file.gives
        if rows.entity == "roles"
        and (user := rows.columns.get("userSourcedId"))
        and user.reads == columns
    ]
    constants = [cell.of(dialect) for cell in cells if cell and not cell.reads]
    roles = {pl.select(one).item() for one in constants} if len(constants) == len(cells) else ()
    return next(iter(roles)) if len(roles) == 1 else ""


def _numbers(part: EntityRows, column: str, keys: tuple[RangeKey, ...]) -> dict[int, int]:
    """The range from which a column has its ids, by the place of the rows."""
    read = {
        place: (file, rows.columns[column].reads)
        for place, (file, rows) in enumerate(part.places)
        if column in rows.columns
    }
    return {place: keys.index(key) for place, key in read.items() if key in keys}


def _known(
    people: pl.DataFrame, ranges: tuple[IdRange, ...], dialect: ReadingOptions
) -> dict[Numbered, str]:
    """The people whom the target has under an id that was set apart, and those who were erased."""
    by_name = {one.name: number for number, one in enumerate(ranges)}
    found = {}
    for sent in (one for one in dialect.people if one.startswith(dialect.prefix)):
        name, slash, one = sent.removeprefix(dialect.prefix).partition("/")
        if slash and name in by_name:
            found[by_name[name], one] = ranges[by_name[name]].set_apart(one)
    if forgotten := dialect.digests.forgotten:
        for one, number in people.rows():
            apart = ranges[number].set_apart(one)
            if sha256(f"{dialect.prefix}{apart}".encode()).hexdigest() in forgotten:
                found[number, one] = apart
    return found


def _decide(
    users: EntityRows,
    demographics: EntityRows | None,
    numbers: dict[int, int],
    several: pl.Series,
    ranges: tuple[IdRange, ...],
    known: Mapping[Numbered, str],
    dialect: ReadingOptions,
) -> tuple[dict[Numbered, str], list[str]]:
    """Return the new id of each person of tonight's drop who is set apart.

    Also returns the ids of which it is not clear who keeps them.
    """
    rows = users.frame.filter(pl.col("sourcedId").is_in(several.implode()))
    if not rows.height:
        return {}, []
    rows = with_evidence(users.having(rows), demographics)
    rows = rows.with_columns(range=(pl.col(ROW) // SPAN).replace_strict(numbers, default=None))
    differ = pl.col(NAME).n_unique().over("sourcedId") > 1
    differing = rows.filter(differ | pl.col("sourcedId").is_in([one for _, one in known]))
    differing = differing.drop_nulls("range").sort("sourcedId")
    holders = {
        one.removeprefix(dialect.prefix): _plain(name) for one, name in dialect.holders.items()
    }
    found: dict[Numbered, str] = {}
    unclear = []
    for (sourced_id,), group in differing.group_by("sourcedId", maintain_order=True):
        one = str(sourced_id)
        people = dict(_people(group, ranges, dialect))
        ids = _ids_of(one, people, known, holders.get(one))
        if ids and one in holders and _is_nobody(holders[one], people.values()):
            unclear.append(one)
        else:
            found |= ids
    return found, unclear


def _is_nobody(holder: str, people: Iterable[_Person]) -> bool:
    """Whether nothing says which of several people the target has: no name, and no setting."""
    return not any(holder in one.names or one.range.last for one in people)


def _people(
    group: pl.DataFrame, ranges: tuple[IdRange, ...], dialect: ReadingOptions
) -> Iterator[tuple[int, _Person]]:
    """The people who have one id, by their range."""
    grown = f"{dialect.today.year - ADULT}-{dialect.today:%m-%d}"
    for (number,), rows in group.group_by("range", maintain_order=True):
        names = [" ".join(filter(None, one)) for one in rows.select(NAMES).rows()]
        births = frozenset(filter(_DAY.fullmatch, rows[BIRTH_DATE].drop_nulls()))
        yield (
            int(str(number)),
            _Person(
                ranges[int(str(number))],
                frozenset(filter(None, map(_plain, names))),
                frozenset(re.findall(r"\w+", without_accents(" ".join(names)))),
                births,
                (
                    frozenset(rows[ADDRESS].drop_nulls()),
                    frozenset(rows["username"].drop_nulls().str.to_lowercase()),
                ),
                any(one > grown for one in births),
            ),
        )


def _ids_of(
    sourced_id: str, people: dict[int, _Person], known: Mapping[Numbered, str], holder: str | None
) -> dict[Numbered, str]:
    """Return the new ids of the people with one id who are set apart.

    `holder` is the name of the person whom the target has under that id: if one of these people has
    it, that one keeps the id. Otherwise, the file that comes first does.
    """
    holding = [number for number, one in people.items() if holder in one.names]
    order = sorted(
        people,
        key=lambda one: (
            (one, sourced_id) not in known,
            one not in holding,
            people[one].range.last,
            one,
        ),
    )
    ids: dict[int, str] = {}
    for number in order:
        one = people[number]
        same = next((ids[other] for other in ids if one.is_same_as(people[other])), None)
        if (number, sourced_id) in known:
            ids[number] = known[number, sourced_id]
        elif same:
            ids[number] = same
        elif sourced_id in ids.values() and all(
            any(one.is_certainly_not(people[other]) for other in ids if ids[other] == taken)
            for taken in ids.values()
        ):
            ids[number] = one.range.set_apart(sourced_id)
        else:
            ids[number] = sourced_id
    return {(number, sourced_id): one for number, one in ids.items() if one != sourced_id}


def _plain(name: str) -> str:
    return str(pl.select(comparable(pl.lit(name))).item())


@dataclass(frozen=True)
class _References:
    """Who is meant by an id that several people have, or had."""

    ranges: tuple[IdRange, ...]
    apart: Mapping[Numbered, str]
    having: Mapping[str, set[int]]  # the ranges that have an id

    @property
    def ids(self) -> list[str]:
        """The ids that may mean a person who was set apart."""
        return sorted({one for _, one in self.apart})

    def of_range(self, number: int, sourced_id: str) -> str:
        """Return the id of the person of a range."""
        return self.apart.get((number, sourced_id), sourced_id)

    def of_role(self, role: str | None, sourced_id: str) -> str:
        """Return the id of the person who has a role.

        If nobody who is known tonight has it, the id means whoever the target has under it. The
        row is rejected if several people may be meant.
        """
        fitting = self._with_role(role, self.having.get(sourced_id, set()))
        ids = {self.of_range(number, sourced_id) for number in fitting} or {sourced_id}
        return ids.pop() if len(ids) == 1 else sourced_id + OF_SEVERAL

    def _with_role(self, role: str | None, numbers: Iterable[int]) -> list[int]:
        """The ranges whose people have a role, or may have it if no range is sure to."""
        roles = {number: self.ranges[number].role for number in sorted(numbers)}
        family = {one for one, has in roles.items() if has in FAMILY}
        students = {one for one, has in roles.items() if has == STUDENT}
        mixed = {one for one, has in roles.items() if not has}
        if not role:
            return [*roles]
        if role in FAMILY:
            tiers = [family, mixed, roles.keys() - students]
        elif role == STUDENT:
            tiers = [students, mixed]
        else:
            exact = {one for one, has in roles.items() if has == role}
            tiers = [exact, mixed, roles.keys() - students - family]
        return sorted(next(filter(None, tiers), ()))


def _with_ids_apart(
    entity: str, part: EntityRows, keys: tuple[RangeKey, ...], meant: _References
) -> EntityRows:
    """Write the ids of people who were set apart in all columns that have ids of people."""
    for column in ENTITIES[entity].current:
        if column.refers == "users" or (entity, column.name) == ("users", "sourcedId"):
            part = _with_column_apart(part, column, keys, meant)
    return part


def _with_column_apart(
    part: EntityRows,
    column: Column,
    keys: tuple[RangeKey, ...],
    meant: _References,
) -> EntityRows:
    numbers = _numbers(part, column.name, keys)
    has_role = "role" in part.frame.columns

    def written(place: int, role: str | None, cell: str) -> str:
        def one(sourced_id: str) -> str:
            if sourced_id not in meant.having:
                return sourced_id
            if place in numbers:
                return meant.of_range(numbers[place], sourced_id)
            return meant.of_role(_wanted_role(column, role), sourced_id)

        if not column.is_list:
            return one(cell)
        return ",".join(one(item.strip()) for item in cell.split(","))

    cell = pl.col(column.name)
    ids = pl.lit(pl.Series(meant.ids, dtype=pl.String)).implode()
    met = cell.is_in(ids)
    if column.is_list:
        met = (
            cell.str.split(",")
            .list.eval(pl.element().str.strip_chars())
            .list.set_intersection(meant.ids)
            .list.len()
            > 0
        )
    found = part.frame.select(
        place=pl.col(ROW) // SPAN, role="role" if has_role else pl.lit(None, pl.String), cell=cell
    )
    distinct = found.filter(part.frame.select(met.fill_null(value=False)).to_series()).unique()
    if distinct.height:
        new = distinct.with_columns(
            new=pl.Series([written(*row) for row in distinct.rows()], dtype=pl.String)
        )
        cells = found.join(
            new, on=["place", "role", "cell"], how="left", nulls_equal=True, maintain_order="left"
        )
        part = part.having(
            part.frame.with_columns(
                cells.select(pl.coalesce("new", "cell")).to_series().alias(column.name)
            )
        )
    if column.name == "sourcedId" and part.lost.height:
        rows = part.lost.select(pl.col(ROW) // SPAN, "sourcedId").rows()
        lost = [one and written(place, None, one) for place, one in rows]
        part = part.with_lost(part.lost.with_columns(sourcedId=pl.Series(lost, dtype=pl.String)))
    return part


def _wanted_role(column: Column, role: str | None) -> str | None:
    """The role of the person whom a row means; None if it says nothing about it."""
    if column.name == "agentSourcedIds":
        return next(iter(sorted(FAMILY)))
    if column.name.startswith(STUDENT):
        return STUDENT
    return ROLE_OF.get(role, role) if role else None
