"""How long a feed keeps what its runs left behind. What is older is deleted at the end of a sync."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from connectors.ledger import FeedKey, Ledger
from connectors.ledger.history import PENDING
from connectors.roster_archive import Archive


@dataclass(frozen=True)
class Keep:
    """The `[keep]` table of a feed file. What a pending plan needs is kept longer."""

    rosters: int = 30  # rosters to which `roster restore` can go back
    run_days: int = 90  # days for which the folder of a run stays
    closed_plan_days: int = 90  # days for which the records of a closed plan stay


def apply_retention(
    keep: Keep, folder: Path, key: FeedKey, ledger: Ledger, archive: Archive, now: datetime
) -> None:
    """Delete what is over of this feed. `now` is in UTC. The run's own `folder` stays."""
    needed = {plan.run for plan in ledger.plans(key) if plan.status in PENDING}
    archive.forget(keep.rosters, spare=needed)
    ledger.prune(key, now - timedelta(days=keep.closed_plan_days))
    _delete_folders(
        folder, key, ledger, now - timedelta(days=keep.run_days), {*needed, folder.name}
    )


def _delete_folders(
    folder: Path, key: FeedKey, ledger: Ledger, before: datetime, spared: Collection[str]
) -> None:
    """Delete the folders of this feed's old runs. Other feeds' folders lie beside them, and only the ledger tells them apart."""
    for run in ledger.runs(key):
        old = folder.with_name(run.id)
        if run.started < before and run.id not in spared and old.is_dir():
            shutil.rmtree(old)
