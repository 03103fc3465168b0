"""Step 1 of the pipeline: from wherever a feed's drops lie to a drop as read."""

from __future__ import annotations

from dataclasses import replace

from connectors.drops import read
from flows.arriving import Incomplete, arrived
from flows.job import Job
from flows.rest_source import read_rest
from transforms.findings import gather, of_file
from transforms.raw import Raw
from transforms.sources import escape_in


def extract(job: Job) -> Raw:
    """Read the drop of a job, every column as text; whatever is wrong with it is among its findings."""
    source = job.source
    if source.rest:
        return read_rest(source.rest)
    try:
        with arrived(job) as (drop, findings):
            leave = frozenset({source.pickup.arrival.marker_of(drop.name)})
            raw = read(drop, encoding=source.encoding, strict=source.strict, leave=leave)
            # Only a layout that is recognized says whether it escapes quotes inside cells.
            if escape := escape_in(source.layout, raw):
                raw = read(drop, encoding=source.encoding, strict=source.strict, leave=leave, escape=escape)
    except Incomplete as lacking:
        return Raw({}, findings=of_file("drop_incomplete", "", str(lacking)))
    return replace(raw, findings=gather([findings, raw.findings]))
