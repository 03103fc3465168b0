"""The report of `roster adopt`."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from flows.adopt import AdoptResult
from flows.reports.run import print_run

COUNTS = {
    "equal": "as the drop says",
    "different": "otherwise",
    "absent": "not in the target",
    "others": "others'",
}
NEXT = (
    "Nothing was sent. `roster sync` sends what is not in the target or says something else there."
)


def print_adopt(console: Console, result: AdoptResult, drop: str) -> None:
    """Print the counts of each entity, or why the drop was refused."""
    if result.refused:
        print_run(console, result.refused, drop)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("", no_wrap=True)
    for title in COUNTS.values():
        table.add_column(title, justify="right")
    for adopted in result.adopted:
        table.add_row(adopted.entity, *(f"{getattr(adopted, name):,}" for name in COUNTS))
    console.print(table)
    console.print(NEXT)


def adopt_json(result: AdoptResult) -> dict[str, Any]:
    """Return the object that `--json` prints."""
    if result.refused:
        return result.refused.as_json()
    return {
        "run": result.job.run.id,
        "district": result.job.run.district,
        "target": result.job.load.target.name,
        "status": "done",
        "entities": {
            adopted.entity: {name: getattr(adopted, name) for name in COUNTS}
            for adopted in result.adopted
        },
        "requests": result.requests,
        "seconds": round(result.seconds, 3),
    }
