"""Tells when a feed sends records under ids that another feed of the same target has sent already."""

from __future__ import annotations

import polars as pl

from connectors.ledger import Ledger
from flows.job import Job
from transforms.changes import Changes
from transforms.findings import Findings, gather, of_file

FIRST = 3


def claimed(changes: Changes, job: Job, ledger: Ledger) -> Findings:
    """Name what is to be sent and what another feed has sent too: the target has one record for both."""
    return gather(
        _of_entity(name, changes[name].upserts["sourcedId"], job, ledger)
        for name in changes
        if changes[name].upserts.height
    )


def _of_entity(name: str, ids: pl.Series, job: Job, ledger: Ledger) -> Findings:
    claims = ledger.claims(job.key, name, ids)
    return gather(
        of_file("id_claimed", "", f"{name} of feed {feed}: {_first(rows)}", count=rows.height)
        for (feed,), rows in claims.group_by("feed", maintain_order=True)
    )


def _first(rows: pl.DataFrame) -> str:
    ids = rows["sourcedId"].head(FIRST).to_list()
    return ", ".join([*ids, *(["…"] if rows.height > FIRST else [])])
