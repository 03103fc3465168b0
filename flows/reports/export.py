"""The report of `roster export`: what is in the zip, and what is not."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from flows.export import EXPORT_TERMS, ExportResult
from flows.finding_groups import finding_groups
from flows.reports.counts import print_counts, terms_to_show
from flows.reports.run import print_finding_group
from transforms.grammar import agree, count_of


def print_export(console: Console, done: ExportResult) -> None:
    """Print the counts, the findings and the verdict of an export."""
    console.print(
        Text(f"Export of {done.origin} for {done.job.run.district} to {done.out}", style="bold")
    )
    if done.standing:
        counts = done.counts
        print_counts(console, counts, terms_to_show(counts, EXPORT_TERMS, ("read", "exported")))
    for group in finding_groups(done.findings):
        print_finding_group(console, group)
    for line in export_verdict(done):
        console.print(Text(line))


def export_verdict(done: ExportResult) -> Iterator[str]:
    """Yield what is in the zip, what is not, and whether the zip is conformant."""
    if done.status == "refused":
        yield "Refused: nothing was written. Correct what is marked fatal and run again."
    elif done.error:
        yield (
            f"Not written: {done.out}: {done.error}. Free some space or let this user write "
            "there, or name another place, and run again."
        )
    else:
        yield from _contents(done)
    if done.rejects:
        yield f"Each rejected row: {done.rejects}"


def _contents(done: ExportResult) -> Iterator[str]:
    rows = sum(frame.height for frame in done.tables.values())
    yield (
        f"Exported: {count_of(rows, 'rows')} in {count_of(len(done.tables), 'files')} to "
        f"{done.out}, which only you can read."
    )
    if missing := done.total("rejected") + done.total("left_out") - done.total("vanished"):
        yield (
            f"Not in it: {count_of(missing, 'records')}, rejected or left out. Anyone who imports "
            f"this zip as a full roster will treat {agree(missing, 'them')} as deleted."
        )
    if done.outside:
        yield (
            "Not complete by itself, see export_outside: it names records that were loaded by "
            "other drops."
        )
    if done.breaches:
        yield (
            f"Not conformant to the letter, see export_breach: `roster check {done.out} --strict` "
            "names the rows."
        )
