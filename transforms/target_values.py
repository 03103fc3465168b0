"""Map values to the target's vocabulary, refuse what the target cannot accept, and map back.

Some targets also require an address for each user, or an organization for each session. The rules
of this module are the target's: a record that violates one of them may conform to the standard.
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
from transforms.checks.references import LedgerFrames, in_target
from transforms.findings import (
    ROW,
    Findings,
    fault_location,
    file_and_row,
    file_finding,
    files_of,
    merge_findings,
    row_findings,
)
from transforms.layouts.ids import ESCAPE
from transforms.payload import Part, parts_by_name
from transforms.records import EntityRecords, RosterState, dependents, without_references
from transforms.roster import Roster
from transforms.schemas import ENTITIES, Column, Entity
from transforms.schemas.entity import DayEdge
from transforms.target_vocabulary import FeedVocabulary, MappedColumn, TargetVocabulary, Words

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9\-]*[A-Za-z0-9])?"
EMAIL = rf"^[^@\s,;<>()\[\]]+@{_LABEL}(?:\.{_LABEL})+$"
WILDCARD = "*"
# Columns: a user's address as the drop has it, and whether the feed's template gave another one.
WRITTEN, GENERATED = "#written", "#generated"
SITE_ADMINISTRATOR = ADMINISTRATOR["school"]
UNMAPPED_COLUMNS: dict[str, type[pl.DataType]] = {
    "entity": pl.String,
    "column": pl.String,
    "map": pl.String,
    "word": pl.String,
    "rows": pl.Int64,
}
# The column of roles, which `carry` maps after roles are folded into users.
ROLES = ("roles", "role")


class _CellsOfFiles:
    """The cells that were reported: one cell may be a class's subject and its course's."""

    def __init__(self, spelt: Mapping[tuple[str, str, str], str]) -> None:
        self._spelt = spelt
        self._seen: dict[tuple[str, str], pl.Series] = {}

    def first_seen(self, rows: pl.DataFrame, records: EntityRecords, column: str) -> pl.DataFrame:
        """Return the rows whose cell was not reported before, and remember them."""
        if not rows.height:
            return rows
        name, number = file_and_row(records.file)
        places = rows.select(file=name, number=number)
        new = pl.repeat(value=False, n=rows.height, dtype=pl.Boolean, eager=True)
        for file in files_of(records.file):
            cell = self._spelt.get((file, records.entity.name, column)) or self._spelt.get(
                (file, "", column), column
            )
            here = places["file"] == file
            seen = self._seen.get((file, cell), places["number"].clear())
            new |= here & ~places["number"].is_in(seen.implode()).fill_null(value=False)
            numbers = places["number"].filter(here)
            self._seen[file, cell] = pl.concat([seen, numbers])
        return rows.filter(new)


@dataclass(frozen=True)
class TargetRecords:
    """The records that the target can accept, with the target's values."""

    standing: RosterState
    findings: Findings = field(default_factory=Findings)


def map_to_target(
    standing: RosterState,
    carrying: FeedVocabulary,
    known: LedgerFrames,
    entities: Collection[str],
    root: str | None,
    spelt: Mapping[tuple[str, str, str], str] | None = None,
) -> TargetRecords:
    """Map values, and refuse the records that the target cannot accept and those that need them.

    `entities` are those that the target has. `root` is the organization above all others, for drops
    without organizations. `spelt` is as in `Roster`.
    """
    cells = _CellsOfFiles(spelt or {})
    found: list[Findings] = []
    refused: dict[str, pl.DataFrame] = {}
    done: RosterState = {}
    root = carrying.session_org or _root(standing) or root
    for name in (name for name in ENTITIES if name in standing and name in entities):
        records, findings = _map_records(standing[name], carrying, root, cells)
        followers = dependents(records, refused).unique(ROW, keep="first", maintain_order=True)
        for (column,), rows in followers.group_by("column", maintain_order=True):
            findings.append(
                row_findings(
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
            pl.concat([_causes(records, findings), followers.select("sourcedId", "cause")])
        )
        refused[name] = done[name].refused[before:]
        found += findings
    hidden = {name: _not_in_target(known, name, ids) for name, ids in refused.items()}
    done = {
        name: _without_homeless(without_references(records, hidden), carrying.vocabulary, entities)
        for name, records in done.items()
    }
    return TargetRecords(done, merge_findings(found))


def files_without_place(
    roster: Roster, vocabulary: TargetVocabulary, entities: Collection[str]
) -> list[Findings]:
    """Report the files that are valid and that the target has no place for; it has `entities`."""
    return [
        file_finding("not_carried", table.file, count=table.frame.height)
        for name, table in roster.tables.items()
        if table.frame.height and not _has_place(table.entity, vocabulary, entities)
    ]


def _has_place(entity: Entity, vocabulary: TargetVocabulary, entities: Collection[str]) -> bool:
    """Tell whether the target has a collection for an entity, or accepts a part in its records."""
    if not entity.folds_into:
        return entity.name in entities
    homeless = entity.name in vocabulary.homeless.get(entity.folds_into, ())
    return (
        entity.folds_into in entities
        and not homeless
        and all(_is_there(one, entities) for one in entity.references)
    )


def _is_there(reference: Column, entities: Collection[str]) -> bool:
    """Tell whether the target has the collection that a column refers to, or that of its owner."""
    entity = ENTITIES[reference.refers or ""]
    return (entity.folds_into or entity.name) in entities


def _without_homeless(
    records: EntityRecords, vocabulary: TargetVocabulary, entities: Collection[str]
) -> EntityRecords:
    """Omit the columns that the target does not have, or that refer to collections it lacks."""
    entity = records.entity
    homeless = [
        *vocabulary.homeless.get(entity.name, ()),
        *(column.name for column in entity.references if not _is_there(column, entities)),
        *(
            part.name
            for part in parts_by_name(entity).values()
            if not _has_place(part, vocabulary, entities)
        ),
    ]
    return replace(records, accepted=records.accepted.drop(homeless, strict=False))


def _not_in_target(known: LedgerFrames, name: str, refused: pl.DataFrame) -> pl.Series:
    if not refused.height:
        return refused["sourcedId"]
    return refused.filter(~pl.col("sourcedId").is_in(in_target(known, name).implode()))["sourcedId"]


def _causes(records: EntityRecords, found: list[Findings]) -> pl.DataFrame:
    errors = merge_findings(found).errors.filter(pl.col("rule") != "target_parent")
    return errors.select("sourcedId", cause=fault_location(records.file, "row"))


def _map_records(
    records: EntityRecords, carrying: FeedVocabulary, root: str | None, cells: _CellsOfFiles
) -> tuple[EntityRecords, list[Findings]]:
    """Map the values of one entity's records, and report what the target cannot accept."""
    found: list[Findings] = []
    vocabulary, name = carrying.vocabulary, records.entity.name
    for (entity, column), mapped in vocabulary.columns.items():
        if entity == name and column in records.accepted.columns:
            records, finding = _map_column(
                records, column, mapped, carrying.maps[mapped.map_name], cells
            )
            found.append(finding)
    records = _with_timestamps(records, carrying.zone)
    for column in vocabulary.wanted.get(name, ()):
        blank = records.accepted.filter(pl.col(column).is_null())
        found.append(
            row_findings("target_required", blank, file=records.file, entity=name, column=column)
        )
    if name == "users" and "roles" in carrying.maps:
        records, roles = _map_roles(records, carrying.maps["roles"])
        found += roles
    if name == "users" and vocabulary.wants_email:
        records, addresses = _with_addresses(records, carrying.email_template)
        found += addresses
    if name == "academicSessions" and vocabulary.wants_session_org:
        records, orgs = _with_session_org(records, root)
        found += orgs
    return records, found


def _with_timestamps(records: EntityRecords, zone: ZoneInfo) -> EntityRecords:
    """Turn days into timestamps where the target wants them: the start or end of the local day."""
    columns = [
        column
        for column in records.entity.current
        if column.moment and column.name in records.accepted.columns
    ]
    for column in columns:
        days = records.accepted[column.name].drop_nulls().unique()
        timestamps = {day: _timestamp(day, column.moment, zone) for day in days}
        cells = pl.col(column.name).replace_strict(timestamps, default=None, return_dtype=pl.String)
        records = replace(records, accepted=records.accepted.with_columns(cells))
    return records


def _timestamp(day: str, moment: DayEdge, zone: ZoneInfo) -> str:
    clock = time(0) if moment == "start" else time(23, 59, 59)
    local = datetime.combine(date.fromisoformat(day), clock, zone)
    return local.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _map_column(
    records: EntityRecords,
    column: str,
    how: MappedColumn,
    values: Mapping[str, str],
    cells_of_files: _CellsOfFiles,
) -> tuple[EntityRecords, Findings]:
    """Map the cells of a column; each distinct cell is processed once."""
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
    table = f"[target.{how.map_name}]"
    detail = f"sent as {how.unknown!r}; {table}" if how.unknown else "" if how.refuses else table
    if not how.refuses:
        rows = cells_of_files.first_seen(rows, records, column)
    found = row_findings(
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
            cell: ",".join(_map_words(values, words, how.unknown)) or None
            for cell, words in items.items()
        }
    changed = pl.col(column).replace_strict(mapped, default=None, return_dtype=pl.String)
    return replace(records, accepted=records.accepted.with_columns(changed)), found


def _map_words(values: Mapping[str, str], words: list[str], unknown: str | None) -> list[str]:
    """Map the words of a cell, and return each result once."""
    mapped = (look_up(values, word) or unknown for word in words)
    return list(dict.fromkeys(word for word in mapped if word))


def look_up(values: Mapping[str, str], word: str) -> str | None:
    """Return a word's value in a map, whose keys may end in `*` for "begins with".

    The longest matching key counts; None if no key matches.
    """
    if word in values:
        return values[word]
    starts = [
        key
        for key in values
        if key.endswith(WILDCARD) and word.startswith(key.removesuffix(WILDCARD))
    ]
    return values[max(starts, key=len)] if starts else None


def _map_roles(
    records: EntityRecords, values: Mapping[str, str]
) -> tuple[EntityRecords, list[Findings]]:
    """Map the roles of users; refuse users with an unknown role, since no role is lost silently."""
    if "roles" not in records.accepted.columns:
        return records, []  # the drop has no roles: those in the target stay
    cells = records.accepted["roles"]
    unknown = {
        text
        for text in cells.drop_nulls().unique()
        if any(role["role"] not in values for role in parts.read_parts(text))
    }
    rows = records.accepted.filter(pl.col("roles").is_in(list(unknown)))
    rows = rows.with_columns(unknown=parts.part_values(rows["roles"], "role"))
    found = row_findings(
        "target_role", rows, file=records.file, entity="users", column="roles", value="unknown"
    )
    mapped = parts.map_parts(cells, lambda roles: [_map_role(role, values) for role in roles])
    return replace(records, accepted=records.accepted.with_columns(roles=mapped)), [found]


def _map_role(role: Part, values: Mapping[str, str]) -> Part:
    return role | {"role": values.get(role["role"], role["role"])}


def _with_addresses(
    records: EntityRecords, template: str | None
) -> tuple[EntityRecords, list[Findings]]:
    """Set every user's address: a valid one of their own, or one from the feed's template.

    A user without either is refused.
    """
    email = pl.col("email")
    own = pl.when(email.str.contains(EMAIL)).then(email)
    from_template = _fill_in(template) if template else pl.lit(None, pl.String)
    valid = pl.when(from_template.str.contains(EMAIL)).then(from_template)
    accepted = records.accepted.with_columns(
        email=pl.coalesce(own, valid), **{WRITTEN: email, GENERATED: own.is_null()}
    )
    has_address = pl.col("email").is_not_null()
    invalid = pl.col(WRITTEN).is_not_null() & pl.col(GENERATED)
    found = [
        row_findings(rule, rows, file=records.file, entity="users", column="email", value=WRITTEN)
        for rule, rows in (
            ("email_replaced", accepted.filter(has_address & invalid)),
            ("target_email", accepted.filter(~has_address)),
        )
    ] + [
        row_findings(
            "email_shared",
            _with_shared_address(accepted),
            file=records.file,
            entity="users",
            column="email",
            value="sourcedId",
            detail="made by email_template",
        ),
    ]
    return replace(records, accepted=accepted.drop(WRITTEN, GENERATED)), found


def _with_shared_address(users: pl.DataFrame) -> pl.DataFrame:
    """Return the users who share an address that was generated for one of them."""
    address = pl.col("email").str.to_lowercase()
    generated = users.filter(GENERATED).select(address.drop_nulls().unique()).to_series()
    if generated.is_empty():
        return users.clear()
    return users.filter(address.is_in(generated.implode()) & address.is_duplicated())


def _fill_in(template: str) -> pl.Expr:
    """Fill in a template such as `{sourcedId}@students.example.edu`; null if a field is blank."""
    pieces: list[pl.Expr] = []
    for text, name, _, _ in string.Formatter().parse(template):
        pieces += [pl.lit(text), _in_address(name)] if name else [pl.lit(text)]
    return pl.concat_str(pieces)


def _in_address(name: str) -> pl.Expr:
    """Return a column as a template uses it: in an id that was escaped, `=` stands for `@`."""
    cell = pl.col(name)
    if name != "sourcedId":
        return cell
    written = cell.str.replace_all("@", "=", literal=True)
    return pl.when(cell.str.contains(ESCAPE)).then(written).otherwise(cell)


def _root(standing: RosterState) -> str | None:
    """Return the one organization without a parent or, of several, the one district."""
    if "orgs" not in standing:
        return None
    tops = standing["orgs"].accepted.filter(pl.col("parentSourcedId").is_null())
    districts = tops.filter(pl.col("type") == "district")
    for candidates in (tops, districts):
        if candidates.height == 1:
            return str(candidates["sourcedId"][0])
    return None


def _with_session_org(
    records: EntityRecords, root: str | None
) -> tuple[EntityRecords, list[Findings]]:
    found = []
    if root is None:
        found.append(
            row_findings(
                "target_session_org",
                records.accepted,
                file=records.file,
                entity=records.entity.name,
                column="orgSourcedId",
            )
        )
    accepted = records.accepted.with_columns(orgSourcedId=pl.lit(root, pl.String))
    return replace(records, accepted=accepted, said=records.said | {"orgSourcedId"}), found


def map_from_target(roster: Roster, vocabulary: TargetVocabulary) -> Roster:
    """Map a roster that was read from a target back to the standard's roles."""
    roles = roster.tables.get("roles")
    if roles is None:
        return roster
    role = pl.col("role").replace(dict(vocabulary.roles_read_as))
    if vocabulary.administrators_as_in_1_1:
        # The target has its own word for system administrators, so `administrator` is never one,
        # whatever the type of the organization.
        by_org = role_at(roster.tables.get("orgs"))
        by_org = by_org.replace(SYSTEM_ADMINISTRATOR, SITE_ADMINISTRATOR)
        role = pl.when(pl.col("role") == "administrator").then(by_org).otherwise(role)
    roles = replace(roles, frame=roles.frame.with_columns(role=role))
    return replace(roster, tables={**roster.tables, "roles": roles})


def mapped_columns(vocabulary: TargetVocabulary) -> dict[tuple[str, str], MappedColumn]:
    """Return the columns of files whose words are mapped, by entity and name."""
    if "roles" not in vocabulary.maps:
        return {**vocabulary.columns}
    return {**vocabulary.columns, ROLES: MappedColumn("roles", refuses="target_role")}


def unmapped_words(roster: Roster, carrying: FeedVocabulary) -> pl.DataFrame:
    """Return the words that no map has, with the number of their rows (`UNMAPPED_COLUMNS`).

    The most frequent word of a column comes first.
    """
    found = [pl.DataFrame(schema=UNMAPPED_COLUMNS)]
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
        values = carrying.maps[mapped.map_name]
        known = [_is_mapped(word, entity, values) for word in counts["word"]]
        rows = counts.filter(~pl.Series(known, dtype=pl.Boolean))
        place = {"entity": entity, "column": column, "map": mapped.map_name}
        named = [pl.lit(value).alias(name) for name, value in place.items()]
        found.append(rows.select(*named, "word", pl.col("rows").cast(pl.Int64)))
    return pl.concat(found)


def effect_of_unmapped(vocabulary: TargetVocabulary, entity: str, column: str) -> str:
    """Describe what happens to a word of a column that no map has."""
    mapped = mapped_columns(vocabulary)[entity, column]
    if mapped.refuses:
        return "their records are refused"
    return f"sent as {mapped.unknown!r}" if mapped.unknown else "left out"


def _is_mapped(word: str, entity: str, values: Words) -> bool:
    # `*` does not count for roles: a role that only begins like another one has other rights.
    return word in values if entity == ROLES[0] else look_up(values, word) is not None
