"""The preflight's checks of the drop: would it load, and which of its words are not mapped?"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

import polars as pl

from connectors.ledger import Ledger, LedgerError
from connectors.oneroster.target import TargetError
from connectors.private_files import write_private
from flows.accept import Accepted
from flows.errors import SettingsError
from flows.extract import extract, find_drop
from flows.finding_groups import finding_groups
from flows.job import Job
from flows.pipeline import accept_drop
from flows.preflight.check import Check, failed, not_checked, passed, warning
from flows.preflight.provider import profile_hint
from flows.reported_errors import error_sentence
from flows.result import REFUSED, USAGE, refusal_code
from transforms.findings import Findings, merge_findings
from transforms.grammar import count_of
from transforms.guard.amounts import sentences
from transforms.roster import Roster
from transforms.schemas import ENTITIES
from transforms.sources import normalize
from transforms.target_values import (
    UNMAPPED_COLUMNS,
    effect_of_unmapped,
    files_without_place,
    unmapped_words,
)
from transforms.target_vocabulary import TargetVocabulary

DROP, MAPPING = "drop", "mapping"
# Rules that settings in the feed file can satisfy, besides words: addresses, an organization for
# sessions.
FIXED_BY_SETTINGS = ("target_email", "target_session_org", "target_required")
MOST_WORDS = 100
HEAD = (
    "# Words of the drop that the target does not know. Say what to send for each, and put "
    "the tables into the feed file.\n"
)


@dataclass(frozen=True)
class DropContents:
    """The contents of a drop."""

    files: int = 0  # how many were read
    rows: int = 0
    roster: Roster = field(default_factory=lambda: Roster({}))
    # words that the target does not know
    words: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=UNMAPPED_COLUMNS))
    absent: str = ""  # why there is no drop

    def touched(self, collections: Collection[str]) -> list[str]:
        """Return the collections that a load would touch; all of them if the drop has no rows."""
        names = {
            table.entity.folds_into or name
            for name, table in self.roster.tables.items()
            if table.frame.height
        }
        return [name for name in collections if name in names] or list(collections)


def read_drop_contents(job: Job) -> tuple[Job, DropContents]:
    """Find and read the drop of a job. `dropped` reports what is wrong with it."""
    try:
        job = find_drop(job)
        return job, _read_contents(job)
    except (SettingsError, OSError, TargetError) as error:
        hint = profile_hint(job.source.rest, error)
        return job, DropContents(absent=f"{error_sentence(error)}{hint}")


def _read_contents(job: Job) -> DropContents:
    raw = extract(job)
    roster = normalize(job.source.layout, raw, job.as_written)
    # A file may have several tables: OneRoster 1.1 has roles in users.csv.
    files = [
        raw.files[name]
        for name in {table.file for table in roster.tables.values()}
        if name in raw.files
    ]
    rows = sum(file.frame.height + len(file.ragged) for file in files)
    return DropContents(len(files), rows, roster, unmapped_words(roster, job.load.carrying))


def check_drop_contents(job: Job, drop: DropContents) -> tuple[list[Check], Accepted | None]:
    """Check the drop as a run would: what would be loaded, and what must be mapped?"""
    if drop.absent:
        return [failed(DROP, drop.absent, USAGE), not_checked(MAPPING, "There is no drop.")], None
    try:
        with Ledger.reading(job.ledger_at) as ledger:
            accepted = accept_drop(job, ledger)
    except LedgerError:
        why = "A drop is judged beside the ledger, which cannot be read."
        return [not_checked(DROP, why), not_checked(MAPPING, why)], None
    except TargetError as error:
        why = (
            "The feed file says that others have records in the target (`external`), and they "
            f"cannot be read. {error}"
        )
        return [failed(DROP, why), _mapping_check(job, drop, Findings())], None
    if accepted.refused.height:
        return [_refused_check(job, accepted), not_checked(MAPPING, "The drop is refused.")], None
    return [
        _accepted_check(job, drop, accepted),
        _mapping_check(job, drop, accepted.findings),
    ], accepted


def _refused_check(job: Job, accepted: Accepted) -> Check:
    reasons = [
        f"{group.sentence} ({'; '.join(group.examples)})"
        for group in finding_groups(Findings(accepted.refused))
    ]
    hint = profile_hint(job.source.rest)
    says = f"{job.source.drop} is refused. {' '.join(reasons)}{hint}"
    return failed(DROP, says, refusal_code(accepted.refused))


def _accepted_check(job: Job, drop: DropContents, accepted: Accepted) -> Check:
    by_name = {name: judged.counts for name, judged in accepted.standing.items()}
    total = {
        term: sum(one.get(term, 0) for one in by_name.values())
        for term in ("read", "rejected", "unshared")
    }
    size = (
        f"{job.source.drop}, as {job.source.layout_name}: {count_of(drop.files, 'files')}, "
        f"{count_of(drop.rows, 'rows')}, {count_of(total['read'], 'records')}."
    )
    unshared = (
        f" The feed does not share {total['unshared']:,} of them." if total["unshared"] else ""
    )
    if not total["rejected"]:
        return passed(DROP, f"{size}{unshared} None is rejected.")
    mostly_rejected = sentences(
        {name: counts for name, counts in by_name.items() if ENTITIES[name].needed},
        accepted.rejections,
    )
    if mostly_rejected:
        return failed(
            DROP,
            " ".join([f"{size}{unshared}", *(sentence for _, sentence in mostly_rejected)]),
            REFUSED,
        )
    why = f"{total['rejected']:,} would be rejected: `roster check` says by which rules."
    return warning(DROP, f"{size}{unshared} {why}")


def _mapping_check(job: Job, drop: DropContents, findings: Findings) -> Check:
    lines = [
        *_unmapped_words(drop.words, job.load.carrying.vocabulary),
        *_fixable_errors(findings),
        *_files_without_place(drop.roster, job),
    ]
    if not lines:
        return passed(MAPPING, "The target knows each word of the drop, or the feed file maps it.")
    if drop.words.height:
        lines.append(_write_words(job, drop.words))
    return warning(MAPPING, "\n".join(lines))


def _unmapped_words(words: pl.DataFrame, vocabulary: TargetVocabulary) -> Iterator[str]:
    """Yield a sentence for each column with words that are not mapped. The words go into a file."""
    grouped = words.group_by("entity", "column", maintain_order=True).agg(
        pl.len(), pl.col("rows").sum()
    )
    for entity, column, count, rows in grouped.iter_rows():
        yield (
            f"{entity}.{column}: {count_of(count, 'words')} that the target does not know, in "
            f"{count_of(rows, 'rows')}, {effect_of_unmapped(vocabulary, entity, column)}."
        )


def _fixable_errors(findings: Findings) -> Iterator[str]:
    errors = Findings(findings.errors.filter(pl.col("rule").is_in(FIXED_BY_SETTINGS)))
    for group in finding_groups(errors):
        yield f"{'; '.join(group.examples)}: {count_of(group.count, 'records')}. {group.sentence}"


def _files_without_place(roster: Roster, job: Job) -> Iterator[str]:
    notices = files_without_place(
        roster, job.load.carrying.vocabulary, job.load.target.profile.collections
    )
    files = [notice.file for notice in merge_findings(notices).notices]
    if files:
        yield f"The target has no place for {', '.join(files)}."


def _write_words(job: Job, words: pl.DataFrame) -> str:
    """Write the words to a file for the owner only.

    They may be personal if a column has the wrong contents.
    """
    path = job.run.state / "preflight" / f"{re.sub(r'[^A-Za-z0-9._-]+', '-', job.run.feed)}.toml"
    try:
        write_private(path, _word_tables(words, job.load.carrying.vocabulary))
    except OSError as error:
        return f"The words could not be written to {path}: {error.strerror}."
    return f"The words are in {path}: say what to send for each, and put that into the feed file."


def _word_tables(words: pl.DataFrame, vocabulary: TargetVocabulary) -> str:
    """Return the words as tables for the feed file."""
    tables = [HEAD]
    for (name,), rows in words.group_by("map", maintain_order=True):
        tables += [f"\n[target.{name}]\n", f"# one of: {', '.join(vocabulary.words[str(name)])}\n"]
        # A word may be in several columns, but a key only once in a table.
        unique_words = rows.group_by("word", maintain_order=True).agg(
            "entity", "column", pl.col("rows").sum()
        )
        for word, entities, columns, count in unique_words.head(MOST_WORDS).iter_rows():
            places = ", ".join(
                f"{entity}.{column}" for entity, column in zip(entities, columns, strict=True)
            )
            tables.append(f'{json.dumps(word, ensure_ascii=False)} = ""  # {count:,} in {places}\n')
        if unique_words.height > MOST_WORDS:
            tables.append(f"# and {count_of(unique_words.height - MOST_WORDS, 'others')}\n")
    return "".join(tables)
