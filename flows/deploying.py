"""`roster deploy`: makes a deployment of each feed's file in a folder, with its schedule, and a ceiling for each target."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.ceilings import ceiling
from flows.feed_keys import key_of
from flows.problems import SettingsError
from flows.result import DONE
from flows.settings import Feed, read_feed
from flows.targets import SANDBOX

ROOT = Path(__file__).parents[1]
TAG, MORNING = "roster", "0 6 * * *"
NO_SERVER = "No Prefect server answers at {address}. Start one (make server), or set $PREFECT_API_URL to one that runs."


@dataclass(frozen=True)
class Planned:
    """A feed that is to be deployed; `target` is its name in the ledger."""

    file: Path
    feed: Feed
    target: str

    @property
    def name(self) -> str:
        """The name of its deployment, and of its artifacts."""
        return self.file.stem

    def says(self, pool: str) -> str:
        """Say what is deployed."""
        due = f"{self.feed.schedule.cron} {self.feed.time_zone}" if self.feed.schedule.cron else "no schedule"
        paused = ", paused" if self.feed.schedule.paused else ""
        return f"nightly/{self.name}: {due}{paused}, in pool {self.feed.schedule.pool or pool}"


def deploy(folder: Path, state: Path, environment: Mapping[str, str], *, pool: str, dry_run: bool = False) -> int:
    """Deploy the feeds of a folder, and take away what was deployed of it and has no file any more.

    Raises `SettingsError` with everything that is wrong in any of the files, and then deploys nothing.
    """
    feeds = planned(folder, environment)
    for one in feeds:
        print(one.says(pool))
    if dry_run:
        return DONE
    with _server():
        for line in _deployed(feeds, folder.absolute(), state.absolute(), pool):
            print(line)
    return DONE


def planned(folder: Path, environment: Mapping[str, str]) -> list[Planned]:
    """Read every feed's file of a folder. Raises `SettingsError` with all that is wrong."""
    found: list[Planned] = []
    problems: list[str] = []
    for file in sorted(folder.glob("*.toml")):
        try:
            found.append(Planned(file.absolute(), read_feed(file), key_of(file, environment).target))
        except SettingsError as error:
            problems += error.problems
    if problems:
        raise SettingsError(*problems)
    if not found:
        raise SettingsError(f"{folder} has no feed's file (*.toml). Name the folder of the feeds' files.")
    return found


def _deployed(feeds: list[Planned], folder: Path, state: Path, pool: str) -> Iterator[str]:
    from prefect import flow
    from prefect.client.orchestration import get_client

    tag = f"feeds:{folder}"
    nightly: Any = flow.from_source(source=str(ROOT), entrypoint="flows/nightly.py:nightly")
    kept = [_apply(nightly, one, state, pool, tag) for one in feeds]
    summary: Any = flow.from_source(source=str(ROOT), entrypoint="flows/summary.py:summary")
    kept.append(_apply_summary(summary, feeds, folder, state, pool, tag))
    yield f"summary/{folder.name}: {MORNING}"
    with get_client(sync_client=True) as client:
        for target, limit in _limits(feeds).items():
            client.upsert_global_concurrency_limit_by_name(ceiling(target), limit)
            yield f"{ceiling(target)}: {limit} requests at once to {target}, from all machines"
        yield from _taken_away(client, tag, kept)


def _apply(flow: Any, one: Planned, state: Path, pool: str, tag: str) -> str:
    from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
    from prefect.schedules import Cron

    said = one.feed.schedule
    schedule = Cron(said.cron, timezone=one.feed.time_zone, active=not said.paused) if said.cron else None
    return str(
        flow.to_deployment(
            one.name,
            schedule=schedule,
            concurrency_limit=ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.ENQUEUE),
            parameters={"district": str(one.file), "state": str(state)},
            description=f"Carries the drops of {one.file.name} into {one.target}.",
            tags=[TAG, tag],
            work_pool_name=said.pool or pool,
        ).apply()
    )


def _apply_summary(flow: Any, feeds: list[Planned], folder: Path, state: Path, pool: str, tag: str) -> str:
    from prefect.schedules import Cron

    zone = Counter(one.feed.time_zone for one in feeds).most_common(1)[0][0]
    return str(
        flow.to_deployment(
            folder.name,
            schedule=Cron(MORNING, timezone=zone),
            parameters={"feeds": str(folder), "state": str(state)},
            description=f"Says how every feed of {folder} stands.",
            tags=[TAG, tag],
            work_pool_name=pool,
        ).apply()
    )


def _limits(feeds: list[Planned]) -> dict[str, int]:
    """How many requests each target bears at once: the most that any of its feeds makes. Sandboxes are nobody else's."""
    limits: dict[str, int] = {}
    for one in feeds:
        if one.target != SANDBOX:
            limits[one.target] = max(limits.get(one.target, 0), one.feed.target.concurrency)
    return limits


def _taken_away(client: Any, tag: str, kept: list[str]) -> Iterator[str]:
    from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterTags

    tagged = DeploymentFilter(tags=DeploymentFilterTags(all_=[tag]))
    for one in client.read_deployments(deployment_filter=tagged, limit=200):
        if str(one.id) not in kept:
            client.delete_deployment(one.id)
            yield f"nightly/{one.name}: taken away, since its file is gone"


@contextmanager
def _server() -> Iterator[None]:
    """Refuse to go on without a server, for which Prefect would else start one of its own."""
    import httpx
    from prefect.settings import get_current_settings

    address = get_current_settings().api.url
    try:
        if not address or not httpx.get(f"{address}/health").is_success:
            raise SettingsError(NO_SERVER.format(address=address or "$PREFECT_API_URL, which is not set"))
        yield
    except httpx.ConnectError:
        raise SettingsError(NO_SERVER.format(address=address)) from None
