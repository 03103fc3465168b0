"""What a flow run shows of a run of the line: a summary, its counts, what was rejected by which rule, and where the report is.

Ids, columns and rules, and nobody's name: whoever may open Prefect may see this.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

import httpx
from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact
from prefect.exceptions import PrefectException

from flows.finding_groups import finding_groups
from flows.reports.run import counted_terms, heading, reasons, troubles, verdict
from flows.result import RunResult
from flows.safe_text import one_line, public_text

# What may go wrong with what is only shown: the server, or the way to it.
UNSHOWN = (httpx.HTTPError, PrefectException)


def key(name: str, what: str) -> str:
    """Name an artifact as Prefect takes it: small letters, digits and dashes."""
    return "-".join(
        re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-") or "feed" for part in (name, what)
    )


def publish(result: RunResult, drop: str, name: str) -> None:
    """Show a run. An artifact that cannot be made changes nothing of the run: the report has it all."""
    with suppress(*UNSHOWN):
        create_markdown_artifact(
            summary(result, drop), key(name, "summary"), "What happened, and what to do next"
        )
        create_table_artifact(
            counts(result), key(name, "counts"), "Records by kind, and what became of them"
        )
        create_table_artifact(
            rejected(result),
            key(name, "rejects"),
            "Rejected rows by rule; values are in rejects.csv",
        )
        address = result.report.resolve().as_uri()
        create_link_artifact(
            address, str(result.report), key(name, "report"), "On the machine that ran it"
        )


def page(name: str, what: str, lines: list[str]) -> None:
    """Show a page of lines, such as a preflight."""
    publish_markdown("\n".join(lines), name, what, what)


def table(name: str, rows: list[dict[str, Any]], about: str) -> None:
    """Show a table of its own."""
    with suppress(*UNSHOWN):
        create_table_artifact(rows, key(name, "summary"), about)


def publish_markdown(text: str, name: str, what: str, about: str) -> None:
    """Show a text of another kind, such as a plan that waits."""
    with suppress(*UNSHOWN):
        create_markdown_artifact(public_text(text), key(name, what), about)


def summary(result: RunResult, drop: str) -> str:
    """Say what happened, and what to do next, as markdown."""
    lines = [
        f"# {heading(result, drop)}",
        "",
        f"**{result.status}**, run {result.run}, {result.requests:,} requests",
    ]
    lines += [
        "",
        *(f"- {line}" for line in (*reasons(result), *troubles(result), *verdict(result, drop))),
    ]
    return public_text("\n".join(lines))


def counts(result: RunResult) -> list[dict[str, Any]]:
    """Count the records of each entity, in a row of its own; terms that no entity has are left out."""
    terms = counted_terms(result)
    return [
        {"entity": name} | {term: each.get(term, 0) for term in terms}
        for name, each in result.counts.items()
    ]


def rejected(result: RunResult) -> list[dict[str, Any]]:
    """Count what was rejected, by rule and place, with what to do about it."""
    errors = [
        group for group in finding_groups(result.findings) if group.severity in ("fatal", "error")
    ]
    return [
        {
            "rule": group.rule.code,
            "file": one_line(place.file),
            "column": one_line(place.column),
            "rows": place.count,
            "next": group.sentence,
        }
        for group in errors
        for place in group.places
    ]
