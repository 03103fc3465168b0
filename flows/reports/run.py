"""The report of a run: on a terminal, in report.md and rejects.csv, and in Prefect.

The heading, reasons, troubles and verdict are also shown in Prefect: they have ids and counts, but
no names.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import polars as pl
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from flows.finding_groups import FindingGroup, finding_groups
from flows.reports.counts import INDENT, markdown_counts, print_counts, terms_to_show
from flows.reports.screen import print_indented
from flows.result import RunResult
from flows.run_files import write_run_file
from flows.safe_text import CONTROL_CHARACTERS, FORMULA, public_text, spreadsheet_cell
from transforms.changes import TERMS, Term, imbalance
from transforms.findings import ERRORS, EXAMPLES, Findings
from transforms.grammar import agree, count_of

COLORS = {"fatal": "bold red", "error": "red", "warning": "yellow", "note": "dim"}
MOST_CAUSES = 12
HARMFUL = rf"{FORMULA}|[{CONTROL_CHARACTERS}]"


def print_run(console: Console, result: RunResult, drop: str) -> None:
    """Print the report of a run: first what happened, last what to do next."""
    console.print(Text(run_title(result, drop), style="bold"))
    for line in hold_reasons(result):
        print_indented(console, line)
    if any(any(counts.values()) for counts in result.counts.values()):
        print_counts(console, result.counts, run_terms(result))
    for group in finding_groups(result.findings):
        print_finding_group(console, group)
    for line in (*failure_causes(result), *_limits(result), *run_verdict(result, drop)):
        if line.startswith("  ") and not line.startswith("  - "):
            # Commands and paths, which people copy, are not wrapped.
            console.print(Text(line), soft_wrap=True)
        else:
            print_indented(console, line)


def print_finding_group(console: Console, group: FindingGroup) -> None:
    """Print the findings of one rule: their number, what to do, and the first examples."""
    head = Text()
    head.append(f"{group.severity:<8}", style=COLORS[group.severity])
    head.append(group.rule.code, style="bold")
    head.append(f"  {group.count:,}")
    console.print(head)
    console.print(Padding(Text(group.sentence), (0, 0, 0, INDENT)))
    for example in group.examples:
        console.print(Padding(Text(example, style="dim"), (0, 0, 0, INDENT)))


def run_terms(result: RunResult) -> list[Term]:
    """Select the terms to show: `read`, and each term that any entity has a count for."""
    return terms_to_show(result.counts, TERMS, ("read",))


def run_title(result: RunResult, drop: str) -> str:
    """Return the title of a run, with its drop, district and target."""
    target = "" if result.command == "check" else f" to {result.target}"
    earlier = f", back to the roster of run {result.restored}" if result.restored else ""
    return f"{_action(result)} of {drop} for {result.district}{target}{earlier}"


def _action(result: RunResult) -> str:
    """Return what the run did, or what `plan` says that it would do."""
    kinds = {
        "Restore": result.restored,
        "Repair": result.repaired,
        f"Approval of plan {result.approved}": result.approved,
    }
    action = next((kind for kind, applies in kinds.items() if applies), "")
    if result.command == "sync":
        return action or "Sync"
    return f"Plan: {action.lower()}" if action else result.command.title()


def hold_reasons(result: RunResult) -> Iterator[str]:
    """Yield why changes are held, or would be."""
    yield from map(public_text, _reasons(result))


def _reasons(result: RunResult) -> Iterator[str]:
    held = "Held" if result.command == "sync" else "Would be held"
    if len(result.holds) == 1:
        yield f"{held}: {result.holds[0].sentence}"
        return
    if result.holds:
        yield f"{held}, for {len(result.holds)} reasons:"
    yield from (f"  - {hold.sentence}" for hold in result.holds[:MOST_CAUSES])
    if len(result.holds) > MOST_CAUSES:
        yield f"  - and {len(result.holds) - MOST_CAUSES} more; the report has them all."


def failure_causes(result: RunResult) -> Iterator[str]:
    """Yield why records were not sent: each cause once, with the first ids."""
    yield from map(public_text, _troubles(result))


def _troubles(result: RunResult) -> Iterator[str]:
    causes = result.causes
    for (entity, kind, detail), ids in causes[:MOST_CAUSES]:
        first = ", ".join(ids[:EXAMPLES]) + (", …" if len(ids) > EXAMPLES else "")
        yield f"{kind}: {count_of(len(ids), entity)} ({first}): {detail}"
    if len(causes) > MOST_CAUSES:
        others = count_of(len(causes) - MOST_CAUSES, "other causes")
        yield f"… and {others}; the report has them all."
    for name, counts in result.counts.items():
        if off := imbalance(counts):
            records, are = agree(abs(off), "records"), agree(abs(off), "are")
            yield (
                f"{name}: {off:+,} {records} {are} unaccounted for. This is a fault of this "
                "program; please report it."
            )


def _limits(result: RunResult) -> Iterator[str]:
    """Yield how near the changes of a plan are to each limit."""
    if result.command == "plan" and result.readings:
        yield "Limits:"
        yield from (f"  - {reading.sentence}" for reading in result.readings)


def run_verdict(result: RunResult, drop: str) -> Iterator[str]:
    """Yield the outcome of the run, and what to do next."""
    yield from map(public_text, _verdict(result, drop))


def _verdict(result: RunResult, drop: str) -> Iterator[str]:
    if result.error:
        yield f"The run stopped early: {result.error}"
    yield _outcome(result, drop)
    yield from _outdated_plan(result)
    yield from result.told
    if result.records.height:
        yield from _next_steps(result, drop)
    if result.waits:
        yield (
            f"Plan {result.plan} of run {result.waits} still waits. To send it: "
            f"{_sync(result, drop)} --approve {result.plan}"
        )
    if result.stale:
        yield f"Stale: {result.stale}"
    yield from (f"Unusual: {one}" for one in result.unusual)
    yield from result.untold
    if result.adds_only:
        yield (
            f"Until {result.adds_only} is over only new records are sent; updates wait, "
            "and records missing from the drop stay."
        )
    if result.raised and not result.error:
        yield "Limits that were raised for once let this through; they are used up."
    if result.findings.errors.height:
        yield "Each rejected row:"
        yield f"  {result.rejects}"
    yield "Report:"
    yield f"  {result.report}"


def _outcome(result: RunResult, drop: str) -> str:
    sent = sum(result.total(term) for term in ("created", "updated", "disabled", "deleted"))
    rejected = result.total("rejected")
    if result.status == "refused":
        return "Refused: nothing was sent. Correct what is marked fatal and run again."
    if result.command == "check":
        return _check_outcome(result, rejected)
    if result.command == "plan":
        return (
            f"Planned: {count_of(sent, 'records')} would be sent, "
            f"{result.total('unchanged'):,} unchanged, {rejected:,} rejected."
        )
    if result.status == "failed":
        return (
            f"Not finished: {sent:,} sent, {result.total('failed'):,} failed, "
            f"{result.total('waiting'):,} waiting. Run `{_again(result, drop)}` again; nothing is "
            "sent twice."
        )
    if result.status == "unchanged":
        return "Nothing changed, nothing sent."
    return (
        f"{'Apart from that' if result.status == 'held' else 'Done'}: "
        f"{count_of(sent, 'records')} sent and acknowledged, {rejected:,} rejected."
    )


def _check_outcome(result: RunResult, rejected: int) -> str:
    read = result.total("read")
    if result.exit_code:
        errors = count_of(result.findings.errors.height, "errors")
        return f"Not conformant: {errors} under --strict."
    records = f"{read - rejected:,} of {count_of(read, 'records')}"
    return f"It would load: {records}, {rejected:,} rejected."


def _outdated_plan(result: RunResult) -> Iterator[str]:
    """Yield why a plan was not sent: its records have changed since the plan was made."""
    if result.moved is not None:
        ids = [f"{entity}:{sourced_id}" for entity, sourced_id in result.moved.iter_rows()]
        more = ", …" if len(ids) > EXAMPLES else ""
        yield (
            f"Plan {result.plan} was not sent: {len(ids):,} of its records "
            f"{agree(len(ids), 'have')} changed since it was made "
            f"({', '.join(ids[:EXAMPLES])}{more}). Run `roster sync` for a new plan."
        )


def on_hold(count: int, *, would: bool, of: str = "") -> str:
    """Say that so many changes are on hold, or would be."""
    verb = "would be" if would else agree(count, "are")
    changes = f"{count_of(count, 'changes')}{of}"
    return f"{changes} {verb} on hold until someone approves {agree(count, 'them')}"


def _next_steps(result: RunResult, drop: str) -> Iterator[str]:
    """Yield how to review the held changes, and what to do if they are right and if not."""
    count = result.records.height
    yield f"{on_hold(count, would=result.command != 'sync')} (plan {result.plan})."
    if result.command == "sync":
        yield "Look first at the plan (plan.csv beside it has the names), and at single records:"
        yield f"  {result.folder / 'plan.md'}"
        yield f"  roster why ID{result.repeat.state}"
        yield "If they are right, send exactly these:"
        yield f"  {_sync(result, drop)} --approve {result.plan}"
        yield (
            "If not, have the export corrected: the next sync makes another plan. To "
            "throw this plan away now:"
        )
        yield f"  roster discard {result.plan}{result.repeat.state}"


def _again(result: RunResult, drop: str) -> str:
    if result.restored:
        return f"roster restore {result.restored} {shlex.quote(drop)}{result.repeat.feed}"
    return _sync(result, drop) + (f" --approve {result.approved}" if result.approved else "")


def _sync(result: RunResult, drop: str) -> str:
    return f"roster sync {shlex.quote(drop)}{result.repeat.feed}"


def write_run_files(result: RunResult, drop: str) -> None:
    """Write rejects.csv and report.md into the folder of a run."""
    write_rejects(result.folder, result.findings)
    write_run_file(result.folder, "report.md", public_text("\n".join(_report(result, drop))))


def write_rejects(folder: Path, findings: Findings) -> Path:
    """Write rejects.csv: each error of each row, in order of file and row. Return its path.

    Values that would do harm in a spreadsheet or on a terminal are made harmless.
    """
    texts = [name for name, kind in ERRORS.items() if kind == pl.String]
    errors = findings.errors.sort("file", "row", nulls_last=False, maintain_order=True)
    return write_run_file(
        folder,
        "rejects.csv",
        errors.with_columns(_harmless(errors[name]) for name in texts).write_csv(),
    )


def _harmless(cells: pl.Series) -> pl.Series:
    harmful = cells.filter(cells.str.contains(HARMFUL).fill_null(value=False)).unique()
    if harmful.is_empty():
        return cells
    return cells.replace({cell: spreadsheet_cell(cell) for cell in harmful})


def _report(result: RunResult, drop: str) -> Iterator[str]:
    """Yield the report as lines of Markdown: counts, findings, causes, and the ids not sent."""
    yield from (f"# {run_title(result, drop)}", "", *hold_reasons(result), "")
    sent = f"{count_of(result.requests, 'requests')}, {result.retries:,} sent again"
    yield from (f"Run {result.run}, {result.seconds:.1f} s, {sent}.", "")
    if result.counts:
        yield from markdown_counts(result.counts, run_terms(result))
    yield from ("", "## Findings", "")
    for group in finding_groups(result.findings):
        yield f"- **{group.severity}** `{group.rule.code}` ({group.count:,}): {group.sentence}"
        yield from (f"  - {example}" for example in group.examples)
    yield from ("", "## Not sent", "")
    for trouble in result.troubles:
        yield f"- {trouble.result} {trouble.entity} {trouble.sourcedId}: {trouble.detail}"
    for entity, sourced_id, action in result.records.select(
        "entity", "sourcedId", "action"
    ).iter_rows():
        yield f"- held {entity} {sourced_id}: {action}"
    if len(result.holds) > MOST_CAUSES:
        yield from ("", "## Why it waits", "", *(f"- {hold.sentence}" for hold in result.holds))
    if result.readings:
        yield from ("", "## Limits", "", *(f"- {reading.sentence}" for reading in result.readings))
    yield from ("", *run_verdict(result, drop), "")
