"""How long a feed keeps the files and records of its runs. A sync deletes older ones at its end."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from connectors.ledger import FeedKey, Ledger
from connectors.ledger.history import PENDING
from connectors.roster_archive import Archive


@dataclass(frozen=True)
class Retention:
    """The `[keep]` table of a feed file. Whatever a pending plan needs stays longer."""

    rosters: int = 30  # how many rosters `roster restore` can go back to
    run_days: int = 90  # how long the folder of a run stays
    closed_plan_days: int = 90  # how long the records of a closed plan stay


def apply_retention(
    keep: Retention, folder: Path, key: FeedKey, ledger: Ledger, archive: Archive, now: datetime
) -> None:
    """Delete what this feed has kept long enough. `now` is in UTC. The run's own `folder` stays."""
    needed = {plan.run for plan in ledger.plans(key) if plan.status in PENDING}
    archive.forget(keep.rosters, spare=needed)
    ledger.prune(key, now - timedelta(days=keep.closed_plan_days))
    # Folders of other feeds lie beside these. Only the ledger tells them apart.
    before, spared = now - timedelta(days=keep.run_days), {*needed, folder.name}
    for run in ledger.runs(key):
        old = folder.with_name(run.id)
        if run.started < before and run.id not in spared and old.is_dir():
            shutil.rmtree(old)
