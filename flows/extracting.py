"""Step 1 of the straight line: from wherever a feed's drops lie to a drop as read."""

from __future__ import annotations

from connectors.drops import read
from flows.job import Job
from flows.rest_source import read_rest
from transforms.raw import Raw
from transforms.sources import escape_in


def extracted(job: Job) -> Raw:
    """Read the drop of a job, every column as text; whatever is wrong with it is among its findings."""
    if job.rest:
        return read_rest(job.rest)
    raw = read(job.drop, encoding=job.encoding, strict=job.strict)
    if escape := escape_in(job.layout, raw):
        return read(job.drop, encoding=job.encoding, strict=job.strict, escape=escape)
    return raw
