"""Loading a drop by a mapping file into an embedded sandbox, for tests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rich.console import Console

from connectors.oneroster.sandbox import SandboxStore
from flows.feeds.mapping_file import read_mapping_file
from flows.make_job import make_job
from flows.options import Options
from flows.reports.progress import Bars
from flows.result import RunResult
from flows.run import run_job

SAMPLE = Path(__file__).parents[2] / "sample_data" / "own_layout"
ENTITIES = (
    "orgs",
    "academicSessions",
    "users",
    "demographics",
    "courses",
    "classes",
    "enrollments",
)


def loaded(drop: Path, mapping: Path, state: Path) -> RunResult:
    """Load a drop by a mapping file."""
    job = make_job(Options("sync", drop, district="hawthorn", state=state), {})
    job = replace(job, source=replace(job.source, layout=read_mapping_file(mapping)))
    return run_job(job, Bars(Console(quiet=True)))


def held(state: Path) -> dict[str, int]:
    """How many records of each kind the sandbox holds."""
    store = SandboxStore(state / "sandbox.db")
    try:
        return {name: store.count(name) for name in ENTITIES}
    finally:
        store.close()
