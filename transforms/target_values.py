"""What the target can carry: values in its vocabulary, and an address for each user or an org for each session if it wants them.

What breaks only here does not break the standard.
"""

from __future__ import annotations

import string
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import polars as pl

from transforms import payload as parts
from transforms.binding.upgrade import ADMINISTRATOR, SYSTEM_ADMINISTRATOR, role_at
from transforms.checks.references import Known, in_target
from transforms.findings import ROW, Findings, fault, gather, of_file, of_rows
from transforms.payload import Part, folded
from transforms.records import EntityRecords, RosterState, dependants, without_references
from transforms.roster import Roster, Table
from transforms.schemas import ENTITIES, Column, Entity
from transforms.schemas.entity import Moment
from transforms.target_vocabulary import Carrying, MappedColumn, TargetVocabulary, Words

EMAIL = r"^[^@\s,;<>()\[\]]+@[A-Za-z0-9](?:[A-Za-z0-9\-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9\-]*[A-Za-z0-9])?)+$"
WILDCARD = "*"


@dataclass(frozen=True)
class Carried:
    """The records that the target can take, with the target's values."""

    standing: RosterState
    findings: Findings = field(default_factory=Findings)


def carry(
    standing: RosterState,
    carrying: Carrying,
    known: Known,
    entities: Collection[str],
    root: str | None,
) -> Carried:
    """Map values and refuse what the target cannot take, and whatever needs it.

    `entities` are those that the target carries; `root` is the organisation above all others, for
    drops that do not hold the organisations.
    """
    found: list[Findings] = []
    refused: dict[str, pl.DataFrame] = {}
    done: RosterState = {}
    root = carrying.session_org or _root(standing) or root
    for name in (name for name in ENTITIES if name in standing and name in entities):
        records, told = _mapped(standing[name], carrying, root)
        followers = dependants(records, refused).unique(ROW, keep="first", maintain_order=True)
        for (column,), rows in followers.group_by("column", maintain_order=True):
            told.append(
                of_rows(
                    "target_parent",
                    rows,
                    file=records.file,
                    entity=name,
                    column=str(column),
                    value="cause",
                )
            )
        before = records.refused.height
        done[name] = records.refuse(
            pl.concat([_causes(records, told), followers.select("sourcedId", "cause")])
        )
        refused[name] = done[name].refused[before:]
        found += told
    hidden = {name: _unknown_to(known, name, ids) for name, ids in refused.items()}
    done = {
        name: _housed(without_references(records, hidden), carrying.vocabulary, entities)
        for name, records in done.items()
    }
    return Carried(done, gather(found))


def not_carried(
    roster: Roster, vocabulary: TargetVocabulary, entities: Collection[str]
) -> list[Findings]:
    """Name the files that are valid and that the target, which has these entities, has no place for."""
    return [
        of_file("not_carried", table.file, count=table.frame.height)
        for name, table in roster.tables.items()
        if table.frame.height and not _has_place(table.entity, vocabulary, entities)
    ]


def _has_place(entity: Entity, vocabulary: TargetVocabulary, entities: Collection[str]) -> bool:
    """Whether the target has a collection for an entity or, for a part, takes it in the records that it folds into."""
    if not entity.folds_into:
        return entity.name in entities
    homeless = entity.name in vocabulary.homeless.get(entity.folds_into, ())
    return (
        entity.folds_into in entities
        and not homeless
        and all(_is_there(one, entities) for one in entity.references)
    )


def _is_there(reference: Column, entities: Collection[str]) -> bool:
    """Whether the target has the collection to whose records a column refers; parts are in that of their owner."""
    return ((owner := ENTITIES[reference.refers or ""]).folds_into or owner.name) in entities


def _housed(
    records: EntityRecords, vocabulary: TargetVocabulary, entities: Collection[str]
) -> EntityRecords:
    """Leave out the columns for which the target has no place, and those that refer to what it does not have."""
    entity = records.entity
    homeless = [
        *vocabulary.homeless.get(entity.name, ()),
        *(column.name for column in entity.references if not _is_there(column, entities)),
        *(
            part.name
            for part in folded(entity).values()
            if not _has_place(part, vocabulary, entities)
        ),
    ]
    return replace(records, accepted=records.accepted.drop(homeless, strict=False))


def _unknown_to(known: Known, name: str, refused: pl.DataFrame) -> pl.Series:
    if not refused.height:
        return refused["sourcedId"]
    return refused.filter(~pl.col("sourcedId").is_in(in_target(known, name).implode()))["sourcedId"]


def _causes(records: EntityRecords, found: list[Findings]) -> pl.DataFrame:
    errors = gather(found).errors.filter(pl.col("rule") != "target_parent")
    return errors.select("sourcedId", cause=fault(records.file, "row"))


def _mapped(
    records: EntityRecords, carrying: Carrying, root: str | None
) -> tuple[EntityRecords, list[Findings]]:
    found: list[Findings] = []
    vocabulary, name = carrying.vocabulary, records.entity.name
    for (entity, column), mapped in vocabulary.columns.items():
        if entity == name and column in records.accepted.columns:
            records, told = _one_column(records, column, mapped, carrying.maps[mapped.map_name])
            found += told
    records = _placed(records, carrying.zone)
    found += [_lacking(records, column) for column in vocabulary.wanted.get(name, ())]
    if name == "users" and "roles" in carrying.maps:
        records, roles = _mapped_roles(records, carrying.maps["roles"])
        found += roles
    if name == "users" and vocabulary.wants_email:
        records, addresses = _addresses(records, carrying.email_template)
        found += addresses
    if name == "academicSessions" and vocabulary.wants_session_org:
        return _session_org(records, root, found)
    return records, found


def _placed(records: EntityRecords, zone: ZoneInfo) -> EntityRecords:
    """Make moments of the days that the target wants as such: their start, or their end, in the feed's time zone."""
    columns = [
        column
        for column in records.entity.current
        if column.moment and column.name in records.accepted.columns
    ]
    for column in columns:
        days = records.accepted[column.name].drop_nulls().unique()
        moments = {day: _moment(day, column.moment, zone) for day in days}
        placed = pl.col(column.name).replace_strict(moments, default=None, return_dtype=pl.String)
        records = replace(records, accepted=records.accepted.with_columns(placed))
    return records


def _moment(day: str, which: Moment, zone: ZoneInfo) -> str:
    clock = time(0) if which == "start" else time(23, 59, 59)
    moment = datetime.combine(date.fromisoformat(day), clock, zone).astimezone(UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _lacking(records: EntityRecords, column: str) -> Findings:
    rows = records.accepted.filter(pl.col(column).is_null())
    return of_rows(
        "target_required", rows, file=records.file, entity=records.entity.name, column=column
    )


def _one_column(
    records: EntityRecords, column: str, how: MappedColumn, values: Mapping[str, str]
) -> tuple[EntityRecords, list[Findings]]:
    """Map the cells of a column; each distinct cell is worked on once."""
    is_list = records.entity[column].is_list
    cells = records.accepted[column].drop_nulls().unique().to_list()
    items = {cell: cell.split(",") if is_list else [cell] for cell in cells}
    unknown = {
        cell
        for cell, words in items.items()
        if any(look_up(values, word) is None for word in words)
    }
    rows = records.accepted.filter(pl.col(column).is_in(list(unknown)))
    rule = how.refuses or ("target_mapped" if how.unknown else "target_value")
    detail = f"sent as {how.unknown!r}" if how.unknown else ""
    found = of_rows(
        rule,
        rows,
        file=records.file,
        entity=records.entity.name,
        column=column,
        value=column,
        detail=detail,
    )
    if how.refuses:
        mapped = {cell: look_up(values, cell) or cell for cell in cells}
    else:
        mapped = {
            cell: ",".join(_kept(values, words, how.unknown)) or None
            for cell, words in items.items()
        }
    changed = pl.col(column).replace_strict(mapped, default=None, return_dtype=pl.String)
    return replace(records, accepted=records.accepted.with_columns(changed)), [found]


def _kept(values: Mapping[str, str], words: list[str], unknown: str | None) -> list[str]:
    """Map the words of a cell, each result once."""
    mapped = (look_up(values, word) or unknown for word in words)
    return list(dict.fromkeys(word for word in mapped if word))


def look_up(values: Mapping[str, str], word: str) -> str | None:
    """Find a word in a map, whose keys may end in `*` for "begins with"; the longest such key wins."""
    if word in values:
        return values[word]
    starts = [
        key
        for key in values
        if key.endswith(WILDCARD) and word.startswith(key.removesuffix(WILDCARD))
    ]
    return values[max(starts, key=len)] if starts else None


def _mapped_roles(
    records: EntityRecords, values: Mapping[str, str]
) -> tuple[EntityRecords, list[Findings]]:
    """Map the roles of users; one that the target does not know refuses the user, since roles are never dropped silently."""
    if "roles" not in records.accepted.columns:
        return records, []  # a drop without roles: those that the target holds stay
    cells = records.accepted["roles"]
    unknown = {
        text
        for text in cells.drop_nulls().unique()
        if any(role["role"] not in values for role in parts.unfolded(text))
    }
    rows = records.accepted.filter(pl.col("roles").is_in(list(unknown)))
    rows = rows.with_columns(unknown=parts.values(rows["roles"], "role"))
    found = of_rows(
        "target_role", rows, file=records.file, entity="users", column="roles", value="unknown"
    )
    mapped = parts.each(cells, lambda held: [_mapped_role(role, values) for role in held])
    return replace(records, accepted=records.accepted.with_columns(roles=mapped)), [found]


def _mapped_role(role: Part, values: Mapping[str, str]) -> Part:
    return role | {"role": values.get(role["role"], role["role"])}


def _addresses(
    records: EntityRecords, template: str | None
) -> tuple[EntityRecords, list[Findings]]:
    """Give every user an address: its own if it is one, else by the feed's template, else the user is refused."""
    email = pl.col("email")
    wrong = records.accepted.filter(~email.str.contains(EMAIL))
    found = [
        of_rows(
            "target_value", wrong, file=records.file, entity="users", column="email", value="email"
        )
    ]
    own = pl.when(email.str.contains(EMAIL)).then(email)
    made = _by_template(template) if template else pl.lit(None, pl.String)
    address = pl.coalesce(own, pl.when(made.str.contains(EMAIL)).then(made))
    accepted = records.accepted.with_columns(email=address)
    lacking = accepted.filter(pl.col("email").is_null())
    found.append(
        of_rows("target_email", lacking, file=records.file, entity="users", column="email")
    )
    return replace(records, accepted=accepted), found


def _by_template(template: str) -> pl.Expr:
    """Fill in a template such as `{sourcedId}@students.example.edu`; a blank field makes no address."""
    pieces: list[pl.Expr] = []
    for text, name, _, _ in string.Formatter().parse(template):
        pieces += [pl.lit(text), pl.col(name)] if name else [pl.lit(text)]
    return pl.concat_str(pieces)


def _root(standing: RosterState) -> str | None:
    """The one organisation above all others; or the one district, if several have nothing above them."""
    if "orgs" not in standing:
        return None
    tops = standing["orgs"].accepted.filter(pl.col("parentSourcedId").is_null())
    districts = tops.filter(pl.col("type") == "district")
    for candidates in (tops, districts):
        if candidates.height == 1:
            return str(candidates["sourcedId"][0])
    return None


def _session_org(
    records: EntityRecords, root: str | None, found: list[Findings]
) -> tuple[EntityRecords, list[Findings]]:
    if root is None:
        rows = records.accepted
        found.append(
            of_rows(
                "target_session_org",
                rows,
                file=records.file,
                entity=records.entity.name,
                column="orgSourcedId",
            )
        )
    accepted = records.accepted.with_columns(orgSourcedId=pl.lit(root, pl.String))
    return replace(records, accepted=accepted, said=records.said | {"orgSourcedId"}), found


SITE_ADMINISTRATOR = ADMINISTRATOR["school"]


def uncarried(roster: Roster, vocabulary: TargetVocabulary) -> Roster:
    """Give a roster that was read from a target as the standard has it."""
    if "roles" not in roster.tables:
        return roster
    roles = _standard_roles(roster.tables["roles"], roster.tables.get("orgs"), vocabulary)
    return replace(roster, tables={**roster.tables, "roles": roles})


def _standard_roles(roles: Table, orgs: Table | None, vocabulary: TargetVocabulary) -> Table:
    role = pl.col("role").replace(dict(vocabulary.roles_read_as))
    if vocabulary.administrators_as_in_1_1:
        # The target has a word for those of the system: its other administrators are none, whatever they administer.
        of_place = role_at(orgs).replace(SYSTEM_ADMINISTRATOR, SITE_ADMINISTRATOR)
        role = pl.when(pl.col("role") == "administrator").then(of_place).otherwise(role)
    return replace(roles, frame=roles.frame.with_columns(role=role))


UNMAPPED: dict[str, type[pl.DataType]] = {
    "entity": pl.String,
    "column": pl.String,
    "map": pl.String,
    "word": pl.String,
    "rows": pl.Int64,
}
# The column of a part that folds into its entity, which `carry` maps where it has been folded.
ROLES = ("roles", "role")


def mapped_columns(vocabulary: TargetVocabulary) -> dict[tuple[str, str], MappedColumn]:
    """The columns of files whose words are mapped, by entity and name."""
    roles = (
        {ROLES: MappedColumn("roles", refuses="target_role")} if "roles" in vocabulary.maps else {}
    )
    return {**vocabulary.columns, **roles}


def unmapped(roster: Roster, carrying: Carrying) -> pl.DataFrame:
    """Give each such word (columns of `UNMAPPED`) with how many rows have it, the most frequent of a column first."""
    found = [pl.DataFrame(schema=UNMAPPED)]
    for (entity, column), mapped in mapped_columns(carrying.vocabulary).items():
        table = roster.tables.get(entity)
        if table is None or column not in table.frame.columns:
            continue
        cells = table.frame[column].drop_nulls()
        words = cells.str.split(",").explode() if table.entity[column].is_list else cells
        counts = (
            words.alias("word")
            .value_counts(name="rows")
            .drop_nulls()
            .sort("rows", "word", descending=[True, False])
        )
        known = [_leads_on(word, entity, carrying.maps[mapped.map_name]) for word in counts["word"]]
        rows = counts.filter(~pl.Series(known, dtype=pl.Boolean))
        place = {"entity": entity, "column": column, "map": mapped.map_name}
        named = [pl.lit(value).alias(name) for name, value in place.items()]
        found.append(rows.select(*named, "word", pl.col("rows").cast(pl.Int64)))
    return pl.concat(found)


def becomes(vocabulary: TargetVocabulary, entity: str, column: str) -> str:
    """Say what becomes of a word of a column that nothing leads on."""
    mapped = mapped_columns(vocabulary)[entity, column]
    if mapped.refuses:
        return "their records are refused"
    return f"sent as {mapped.unknown!r}" if mapped.unknown else "left out"


def _leads_on(word: str, entity: str, values: Words) -> bool:
    # Only a whole role is looked up: one that begins like another gives other rights.
    return word in values if entity == ROLES[0] else look_up(values, word) is not None
