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
from flows.reports.run import failure_causes, hold_reasons, run_terms, run_title, run_verdict
from flows.result import RunResult
from flows.safe_text import one_line, public_text
from transforms.grammar import count_of

# The errors of the server, or of the way to it. An artifact that is missing harms nothing.
ARTIFACT_ERRORS = (httpx.HTTPError, PrefectException)


def artifact_key(name: str, what: str) -> str:
    """Make a key as Prefect accepts it: lowercase letters, digits and dashes."""
    return "-".join(
        re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-") or "feed" for part in (name, what)
    )


def publish_run(result: RunResult, drop: str, name: str) -> None:
    """Publish the artifacts of a run. If Prefect refuses one, the run goes on: see the report."""
    with suppress(*ARTIFACT_ERRORS):
        create_markdown_artifact(
            summary(result, drop),
            artifact_key(name, "summary"),
            "What happened, and what to do next",
        )
        create_table_artifact(
            count_rows(result),
            artifact_key(name, "counts"),
            "Records by kind, and what became of them",
        )
        create_table_artifact(
            reject_rows(result),
            artifact_key(name, "rejects"),
            "Rejected rows by rule; values are in rejects.csv",
        )
        address = result.report.resolve().as_uri()
        create_link_artifact(
            address, str(result.report), artifact_key(name, "report"), "On the machine that ran it"
        )


def publish_lines(name: str, what: str, lines: list[str]) -> None:
    """Publish lines of text, such as the report of a preflight."""
    publish_markdown("\n".join(lines), name, what, what)


def publish_table(name: str, rows: list[dict[str, Any]], about: str) -> None:
    """Publish a table that belongs to no run, such as the status of all feeds."""
    with suppress(*ARTIFACT_ERRORS):
        create_table_artifact(rows, artifact_key(name, "summary"), about)


def publish_markdown(text: str, name: str, what: str, about: str) -> None:
    """Publish a text, such as a plan that waits for a decision."""
    with suppress(*ARTIFACT_ERRORS):
        create_markdown_artifact(public_text(text), artifact_key(name, what), about)


def summary(result: RunResult, drop: str) -> str:
    """Return what happened and what to do next, as Markdown."""
    lines = [
        f"# {run_title(result, drop)}",
        "",
        f"**{result.status}**, run {result.run}, {count_of(result.requests, 'requests')}",
        "",
        *(
            f"- {line}"
            for line in (*hold_reasons(result), *failure_causes(result), *run_verdict(result, drop))
        ),
    ]
    return public_text("\n".join(lines))


def count_rows(result: RunResult) -> list[dict[str, Any]]:
    """Return the counts of each entity as a row, without the terms that no entity has."""
    terms = run_terms(result)
    return [
        {"entity": name} | {term: each.get(term, 0) for term in terms}
        for name, each in result.counts.items()
    ]


def reject_rows(result: RunResult) -> list[dict[str, Any]]:
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
