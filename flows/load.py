"""Steps 7 and 8 of the pipeline: send what the guard lets through, or count what would be sent."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.ledger import Ledger
from connectors.oneroster.outcomes import LoadResult
from flows.job import Job
from flows.watch import Watch
from transforms.guard import GuardResult
from transforms.stages import (
    Stage,
    StatusStage,
    count_stages,
    due,
    expected_counts,
    load_stages,
    waiting_counts,
)


def load(guarded: GuardResult, job: Job, ledger: Ledger, watch: Watch) -> LoadResult:
    """Send the changes stage by stage, rehearse them, or count what would be sent."""
    stages = load_stages(guarded.changes)
    if job.run.command != "sync":
        return LoadResult(count_stages(stages, expected_counts))
    if guarded.held and job.guard.all_or_nothing:
        return LoadResult(count_stages(stages, waiting_counts))
    loaded = _send(stages, job, ledger, watch)
    for stage in stages:
        if isinstance(stage, StatusStage):
            ledger.mark(job.key, stage.entity, stage.status, stage.ids.to_list(), job.run.id)
    return loaded


def _send(stages: Sequence[Stage], job: Job, ledger: Ledger, watch: Watch) -> LoadResult:
    if not any(map(due, stages)):
        return LoadResult({})
    # The client takes a while to import, and most nights of most feeds send nothing.
    if job.rehearsal:
        from flows.rehearse import rehearse

        return rehearse(stages, job, ledger)
    from flows.send import send_stages

    return send_stages(stages, job, ledger, watch)
