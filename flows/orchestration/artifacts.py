"""The artifacts of a flow run: a summary, counts, rejected rows by rule, and a link to the report.

Everyone who can open Prefect can see them, so they have ids, columns and rules, but no names.
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

# The errors of the server, or of the way to it. An artifact that is missing harms nothing.
UNSHOWN = (httpx.HTTPError, PrefectException)


def key(name: str, what: str) -> str:
    """Make a key as Prefect accepts it: lowercase letters, digits and dashes."""
    return "-".join(
        re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-") or "feed" for part in (name, what)
    )


def publish(result: RunResult, drop: str, name: str) -> None:
    """Publish the artifacts of a run. If Prefect refuses one, the run goes on: see the report."""
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
    """Publish lines of text, such as the report of a preflight."""
    publish_markdown("\n".join(lines), name, what, what)


def table(name: str, rows: list[dict[str, Any]], about: str) -> None:
    """Publish a table that belongs to no run, such as the status of all feeds."""
    with suppress(*UNSHOWN):
        create_table_artifact(rows, key(name, "summary"), about)


def publish_markdown(text: str, name: str, what: str, about: str) -> None:
    """Publish a text, such as a plan that waits for a decision."""
    with suppress(*UNSHOWN):
        create_markdown_artifact(public_text(text), key(name, what), about)


def summary(result: RunResult, drop: str) -> str:
    """Return what happened and what to do next, as Markdown."""
    lines = [
        f"# {heading(result, drop)}",
        "",
        f"**{result.status}**, run {result.run}, {result.requests:,} requests",
        "",
        *(f"- {line}" for line in (*reasons(result), *troubles(result), *verdict(result, drop))),
    ]
    return public_text("\n".join(lines))


def counts(result: RunResult) -> list[dict[str, Any]]:
    """Return the counts of each entity as a row, without the terms that no entity has."""
    terms = counted_terms(result)
    return [
        {"entity": name} | {term: each.get(term, 0) for term in terms}
        for name, each in result.counts.items()
    ]


def rejected(result: RunResult) -> list[dict[str, Any]]:
    """Return a row for each rule and column that rejected something, with what to do about it."""
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
