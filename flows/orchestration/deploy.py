"""`roster deploy`: a Prefect deployment for each feed file in a folder.

Each deployment has the schedule of its feed file. One more sums up all feeds every morning. Each
target gets a concurrency limit (its ceiling), which all machines share.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import httpx
from prefect import flow, settings
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterTags
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.exceptions import ObjectNotFound
from prefect.schedules import Cron

from flows.errors import SettingsError
from flows.feeds.feed import FEEDS, Feed, find_feed_file, read_feed
from flows.feeds.keys import feed_key
from flows.options import feed_value
from flows.orchestration.access import ROOT, local_server_settings
from flows.orchestration.tasks import limit_name
from flows.result import DONE, FAILED
from flows.target import SANDBOX
from transforms.grammar import count_of

MORNING = "0 6 * * *"
TAG = "roster"
PAGE = 200  # the most deployments that the server returns at once
NO_SERVER = (
    "No Prefect server answers at {address}. Start one (make server), or set $PREFECT_API_URL to "
    "one that runs."
)
NO_ACCESS = (
    "The Prefect server at {address} rejected our login (HTTP 401). Set $PREFECT_API_AUTH_STRING "
    "to its password."
)
NO_POOL = (
    "There is no work pool {pool!r}. Start its worker, which makes it: prefect worker start "
    "--pool {pool}"
)
# The properties that decide whether a deployment has changed. The server sets all others itself.
COMPARED = (
    "description",
    "parameters",
    "pull_steps",
    "tags",
    "work_pool_name",
    "entrypoint",
    "concurrency_options",
    "job_variables",
)
Change = Literal["new", "changed", "unchanged"]


class NoServer(Exception):
    """There is no Prefect server, no access to it, or no work pool; says what to do about it."""


@dataclass(frozen=True)
class WantedDeployment:
    """A deployment as it should be on the server."""

    flow: str
    name: str
    file: Path  # the feed file, or for the summary the folder, that it is made from
    parameters: dict[str, str]
    description: str
    pool: str
    cron: str  # blank for no schedule
    time_zone: str
    feeds: Path  # the folder from which its runs may read feed files
    paused: bool = False

    @property
    def full_name(self) -> str:
        """The name with which people run it: FLOW/NAME."""
        return f"{self.flow}/{self.name}"

    @property
    def due(self) -> str:
        """When it is due, in words."""
        return (
            f"{self.cron} {self.time_zone}{', paused' if self.paused else ''}"
            if self.cron
            else "no schedule"
        )


@dataclass(frozen=True)
class PlannedFeed:
    """A feed that will be deployed."""

    file: Path
    feed: Feed
    target: str  # its name in the ledger

    def wanted(self, state: Path, pool: str) -> WantedDeployment:
        """Return its nightly deployment, which has the name of its file."""
        schedule = self.feed.schedule
        parameters = {"district": str(self.file), "state": str(state)}
        description = f"Carries the drops of {self.file.name} into {self.target}."
        return WantedDeployment(
            flow="nightly",
            name=self.file.stem,
            file=self.file,
            parameters=parameters,
            description=description,
            pool=schedule.pool or pool,
            cron=schedule.cron or "",
            time_zone=self.feed.time_zone,
            feeds=self.file.parent,
            paused=schedule.paused,
        )


@dataclass(frozen=True)
class DeployResult:
    """What was deployed, or with `--dry-run` would be."""

    outcome: dict[str, Any] = field(default_factory=dict)  # the object that `--json` prints
    error: str = ""  # why nothing could be deployed: the message of a `NoServer`

    @property
    def exit_code(self) -> int:
        """1 if nothing could be deployed."""
        return FAILED if self.error else DONE


def deploy(
    folder: Path, state: Path, environment: Mapping[str, str], *, pool: str, dry_run: bool = False
) -> DeployResult:
    """Deploy the feeds of a folder, and delete earlier deployments whose file is gone.

    Raises `SettingsError` with every problem in any of the files. In this case it deploys nothing.
    """
    feeds = read_feeds(folder, environment)
    wanted = [one.wanted(state.absolute(), pool) for one in feeds]
    wanted.append(_summary_deployment(feeds, folder.absolute(), state.absolute(), pool))
    outcome: dict[str, Any] = {
        "deployments": {one.full_name: {"due": one.due, "pool": one.pool} for one in wanted},
        "ceilings": {limit_name(target): limit for target, limit in _limits(feeds).items()},
        "taken_away": [],
    }
    try:
        if not dry_run:
            _deploy(outcome, wanted, f"feeds:{folder.absolute()}", state.absolute())
    except NoServer as error:
        return DeployResult(error=str(error))
    return DeployResult(outcome)


def read_feeds(folder: Path, environment: Mapping[str, str]) -> list[PlannedFeed]:
    """Read every feed file of a folder. Raises `SettingsError` with every problem in them."""
    feeds: list[PlannedFeed] = []
    problems: list[str] = []
    for file in sorted(folder.glob("*.toml")):
        try:
            # A flow run can read only files that `find_feed_file` allows.
            find_feed_file(str(file.absolute()), {FEEDS: str(folder)})
            feeds.append(
                PlannedFeed(file.absolute(), read_feed(file), feed_key(file, environment).target)
            )
        except SettingsError as error:
            problems += error.problems
    if problems:
        raise SettingsError(*problems)
    if not feeds:
        raise SettingsError(
            f"{folder} has no feed file (*.toml). Name the folder of the feed files."
        )
    return feeds


def _summary_deployment(
    feeds: list[PlannedFeed], folder: Path, state: Path, pool: str
) -> WantedDeployment:
    zone = Counter(one.feed.time_zone for one in feeds).most_common(1)[0][0]
    parameters = {"feeds": str(folder), "state": str(state)}
    description = f"Says how every feed of {folder} stands."
    return WantedDeployment(
        flow="summary",
        name=folder.name,
        file=folder,
        parameters=parameters,
        description=description,
        pool=pool,
        cron=MORNING,
        time_zone=zone,
        feeds=folder,
    )


def _limits(feeds: list[PlannedFeed]) -> dict[str, int]:
    """Return how many requests at a time each target allows: the most that any of its feeds sends.

    A sandbox has no limit, since no other machine uses it.
    """
    limits: dict[str, int] = {}
    for one in feeds:
        if one.target != SANDBOX:
            limits[one.target] = max(limits.get(one.target, 0), feed_value("concurrency", one.feed))
    return limits


def _deploy(outcome: dict[str, Any], wanted: list[WantedDeployment], tag: str, state: Path) -> None:
    """Apply what is wanted on the server, and enter in `outcome` what that changed."""
    with open_client(state) as server:
        check_pools(server, wanted)
        if problems := name_conflicts(server, wanted):
            raise SettingsError(*problems)
        for one in wanted:
            outcome["deployments"][one.full_name]["is"] = apply_deployment(server, one, tag)
        for name, limit in outcome["ceilings"].items():
            server.upsert_global_concurrency_limit_by_name(name, limit)
        outcome["taken_away"] = list(delete_deployments(server, tag, wanted))


@contextmanager
def open_client(state: Path) -> Iterator[Any]:
    """Open a client of the Prefect server: the one in Prefect's settings, or else the local one.

    Raises `NoServer` if there is no server, where Prefect would start one of its own, or if the
    server does not accept our password.
    """
    with _settings(state) as address:
        try:
            if not address or not httpx.get(f"{address}/health").is_success:
                raise NoServer(
                    NO_SERVER.format(address=address or "$PREFECT_API_URL, which is not set")
                )
            with get_client(sync_client=True) as server:
                yield server
        except (httpx.TransportError, httpx.InvalidURL):
            raise NoServer(NO_SERVER.format(address=address)) from None
        except httpx.HTTPStatusError as error:
            if error.response.status_code != httpx.codes.UNAUTHORIZED:
                raise
            raise NoServer(NO_ACCESS.format(address=address)) from None


@contextmanager
def _settings(state: Path) -> Iterator[str | None]:
    """Add the state folder's server to Prefect's settings for the body; yield the server's address.

    It is added only if the settings have no password yet.
    """
    known = settings.get_current_settings().api
    more = {} if known.auth_string else local_server_settings(state, known.url or "")
    with settings.temporary_settings(
        updates={getattr(settings, name): value for name, value in more.items()}
    ):
        yield settings.get_current_settings().api.url


def check_pools(client: Any, wanted: Sequence[WantedDeployment]) -> None:
    """Raise `NoServer` if one of the work pools does not exist."""
    for pool in sorted({one.pool for one in wanted}):
        try:
            client.read_work_pool(pool)
        except ObjectNotFound:
            raise NoServer(NO_POOL.format(pool=pool)) from None


def name_conflicts(client: Any, wanted: Sequence[WantedDeployment]) -> list[str]:
    """Return a sentence for each name that a feed of another folder has already.

    Two feeds of the same name would overwrite each other's deployment every time.
    """
    problems = []
    for one in wanted:
        if deployed := _read_deployment(client, one):
            other = ROOT / made_from(deployed.parameters)
            if other != one.file and other.exists():
                problems.append(
                    f"{one.full_name} is deployed from {other} already. "
                    "Give one of the two another name."
                )
    return problems


def made_from(parameters: dict[str, str]) -> str:
    """Return the file or folder from which a deployment was made, by its parameters."""
    return parameters.get("district") or parameters.get("feeds") or ""


def apply_deployment(client: Any, wanted: WantedDeployment, tag: str) -> Change:
    """Create or update a deployment, which runs one at a time. Return whether that changed it."""
    before = _read_deployment(client, wanted)
    loaded: Any = flow.from_source(
        source=str(ROOT), entrypoint=f"flows/{wanted.flow}.py:{wanted.flow}"
    )
    loaded.to_deployment(
        wanted.name,
        schedule=Cron(wanted.cron, timezone=wanted.time_zone, active=not wanted.paused)
        if wanted.cron
        else None,
        job_variables={"env": {FEEDS: str(wanted.feeds)}},
        concurrency_limit=ConcurrencyLimitConfig(
            limit=1, collision_strategy=ConcurrencyLimitStrategy.ENQUEUE
        ),
        parameters=wanted.parameters,
        description=wanted.description,
        tags=[TAG, tag],
        work_pool_name=wanted.pool,
    ).apply()
    after = _read_deployment(client, wanted)
    if before is None:
        return "new"
    return "unchanged" if _compared_values(before) == _compared_values(after) else "changed"


def _read_deployment(client: Any, wanted: WantedDeployment) -> Any:
    try:
        return client.read_deployment_by_name(wanted.full_name)
    except ObjectNotFound:
        return None


def _compared_values(deployment: Any) -> object:
    schedules = [(one.schedule.model_dump(), one.active) for one in deployment.schedules]
    return schedules, [getattr(deployment, name) for name in COMPARED]


def delete_deployments(client: Any, tag: str, kept: Sequence[WantedDeployment]) -> Iterator[str]:
    """Delete the deployments that have the tag and are not in `kept`; yield their names."""
    tagged = DeploymentFilter(tags=DeploymentFilterTags(all_=[tag]))
    deployments: list[Any] = []
    while page := client.read_deployments(
        deployment_filter=tagged, limit=PAGE, offset=len(deployments)
    ):
        deployments += page
    names = {one.full_name for one in kept}
    for one in deployments:
        flow = one.entrypoint.rpartition(":")[2]
        if f"{flow}/{one.name}" not in names:
            client.delete_deployment(one.id)
            yield f"{flow}/{one.name}"


def deployment_text(outcome: Mapping[str, Any]) -> str:
    """Return what was deployed, or would be, as lines of text."""
    lines = [
        f"{name}: {one['due']}, in pool {one['pool']}{', ' + one['is'] if 'is' in one else ''}"
        for name, one in outcome["deployments"].items()
    ]
    lines += [
        f"{name}: {count_of(limit, 'requests')} at once, from all machines"
        for name, limit in outcome["ceilings"].items()
    ]
    lines += [f"{name}: removed, since its file is gone" for name in outcome["taken_away"]]
    return "\n".join(lines)
