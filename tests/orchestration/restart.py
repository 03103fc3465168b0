"""`make stop` and `make server` while a load goes on: what they print, and what became of the load and the deployments."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from connectors.ledger import Ledger, Run
from tests.orchestration.orchestra import FlowRun, Orchestra
from tests.orchestration.schools import parameters_of, schools, slowly
from tests.syncing import meeting


@dataclass(frozen=True)
class Restart:
    """Server and worker, stopped twice and started twice; all four commands print something.

    `recorded` are the ids in the ledger when the first command had ended, `acknowledged` those in the target at the end.
    """

    stopped: str
    nothing_to_stop: str
    started: str
    ran_already: str
    load: FlowRun
    run: Run
    recorded: set[str]
    acknowledged: set[str]
    deployed: set[str]


def restarted(prefect: Orchestra, folder: Path) -> Restart:
    """Stop server and worker in the middle of a load, and start them again."""
    with schools(folder, meeting(slowly)) as feed:
        load = prefect.begin("nightly/nightly", **parameters_of(feed))
        feed.wait_for(100)
        stopped = prefect.make("stop")
        recorded = feed.ledger_holds
        nothing_to_stop = prefect.make("stop")
        started, ran_already = prefect.make("start"), prefect.make("start")
        with Ledger(folder / "state" / "ledger.db") as ledger:
            [run] = ledger.runs()
        end, acknowledged = prefect.wait(load), feed.target_holds
    deployed = {one["name"] for one in prefect.ask("POST", "/deployments/filter", {})}
    return Restart(
        stopped, nothing_to_stop, started, ran_already, end, run, recorded, acknowledged, deployed
    )
