"""Step 1 of the straight line: from wherever a feed's drops lie to a drop as read."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from connectors.drops import read
from flows.arriving import Incomplete, arrived
from flows.job import Job
from flows.rest_source import read_rest
from transforms.findings import gather, of_file
from transforms.raw import Raw
from transforms.sources import escape_in


def extracted(job: Job) -> Raw:
    """Read the drop of a job, every column as text; whatever is wrong with it is among its findings."""
    if job.source.rest:
        return read_rest(job.source.rest)
    try:
        with arrived(job) as (drop, findings):
            raw = _read(drop, job)
    except Incomplete as lacking:
        return Raw({}, findings=of_file("drop_incomplete", "", str(lacking)))
    return replace(raw, findings=gather([findings, raw.findings]))


def _read(drop: Path, job: Job) -> Raw:
    leave = frozenset({job.source.pickup.arrival.marker_of(drop.name)})
    told = partial(read, drop, encoding=job.source.encoding, strict=job.source.strict, leave=leave)
    raw = told()
    escape = escape_in(job.source.layout, raw)
    return told(escape=escape) if escape else raw
