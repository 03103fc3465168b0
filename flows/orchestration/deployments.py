"""What a Prefect server has of our deployments, and how it comes to have what is wanted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from flows.feeds.files import FEEDS
from flows.orchestration.access import here

# Where flows are loaded from: the folder above `flows`.
ROOT = Path(__file__).parents[2]
TAG, PAGE = "roster", 200
NO_SERVER = "No Prefect server answers at {address}. Start one (make server), or set $PREFECT_API_URL to one that runs."
NO_ACCESS = (
    "The Prefect server at {address} does not let us in (HTTP 401). Set $PREFECT_API_AUTH_STRING to its password."
)
NO_POOL = "There is no work pool {pool!r}. Start its worker, which makes it: prefect worker start --pool {pool}"
# What is compared to say whether anything changed. What else a server tells, it has made up itself.
SAID = (
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
    """No server, or not what it needs: a sentence with the next step."""


@dataclass(frozen=True)
class Wanted:
    """A deployment as it is to be: FLOW/NAME; `cron` is blank without a schedule, `file` what it is made from.

    `feeds` is the folder from which its runs may take feeds' files.
    """

    flow: str
    name: str
    file: Path
    parameters: dict[str, str]
    description: str
    pool: str
    cron: str
    time_zone: str
    feeds: Path
    paused: bool = False

    @property
    def full_name(self) -> str:
        """The name by which people run it."""
        return f"{self.flow}/{self.name}"

    @property
    def due(self) -> str:
        """When it is due, in words."""
        return f"{self.cron} {self.time_zone}{', paused' if self.paused else ''}" if self.cron else "no schedule"


@contextmanager
def client(state: Path) -> Iterator[Any]:
    """Give a client of the server that Prefect's settings name, or else of the one that runs for the state folder.

    Raises `NoServer` without one, for which Prefect would else start one of its own, and for one that does not let us in.
    """
    import httpx
    from prefect.client.orchestration import get_client

    with _settings(state) as address:
        try:
            if not address or not httpx.get(f"{address}/health").is_success:
                raise NoServer(NO_SERVER.format(address=address or "$PREFECT_API_URL, which is not set"))
            with get_client(sync_client=True) as found:
                yield found
        except (httpx.TransportError, httpx.InvalidURL):
            raise NoServer(NO_SERVER.format(address=address)) from None
        except httpx.HTTPStatusError as error:
            if error.response.status_code != httpx.codes.UNAUTHORIZED:
                raise
            raise NoServer(NO_ACCESS.format(address=address)) from None


@contextmanager
def _settings(state: Path) -> Iterator[str | None]:
    """Let Prefect know the server of a state folder, and its password, while the body lasts; give the server's address."""
    from prefect import settings

    known = settings.get_current_settings().api
    more = {} if known.auth_string else here(state, known.url or "")
    with settings.temporary_settings(updates={getattr(settings, name): value for name, value in more.items()}):
        yield settings.get_current_settings().api.url


def taken(client: Any, wanted: Sequence[Wanted]) -> list[str]:
    """Say which names another folder's feeds have already: two feeds of one name would undo each other every time."""
    there = [(one, found) for one in wanted if (found := _found(client, one))]
    sources = [(one, ROOT / made_of(found.parameters)) for one, found in there]
    return [
        f"{one.full_name} is deployed from {other} already. Give one of the two another name."
        for one, other in sources
        if other != one.file and other.exists()
    ]


def made_of(parameters: dict[str, str]) -> str:
    """From which file or folder a deployment was made; a database may keep its parameters in another order."""
    return parameters.get("district") or parameters.get("feeds") or ""


def need_pools(client: Any, wanted: Sequence[Wanted]) -> None:
    """Raise `NoServer` for a work pool that is not there."""
    from prefect.exceptions import ObjectNotFound

    for pool in sorted({one.pool for one in wanted}):
        try:
            client.read_work_pool(pool)
        except ObjectNotFound:
            raise NoServer(NO_POOL.format(pool=pool)) from None


def apply(client: Any, wanted: Wanted, tag: str) -> Change:
    """Make or renew a deployment, run one at a time; say whether that changed anything."""
    from prefect import flow
    from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
    from prefect.schedules import Cron

    before = _found(client, wanted)
    loaded: Any = flow.from_source(source=str(ROOT), entrypoint=f"flows/{wanted.flow}.py:{wanted.flow}")
    loaded.to_deployment(
        wanted.name,
        schedule=Cron(wanted.cron, timezone=wanted.time_zone, active=not wanted.paused) if wanted.cron else None,
        job_variables={"env": {FEEDS: str(wanted.feeds)}},
        concurrency_limit=ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.ENQUEUE),
        parameters=wanted.parameters,
        description=wanted.description,
        tags=[TAG, tag],
        work_pool_name=wanted.pool,
    ).apply()
    after = _found(client, wanted)
    return "new" if before is None else "unchanged" if _said(before) == _said(after) else "changed"


def take_away(client: Any, tag: str, kept: Sequence[Wanted]) -> Iterator[str]:
    """Delete what has the tag and is not wanted any more; give the names."""
    from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterTags

    tagged = DeploymentFilter(tags=DeploymentFilterTags(all_=[tag]))
    found: list[Any] = []
    while page := client.read_deployments(deployment_filter=tagged, limit=PAGE, offset=len(found)):
        found += page
    names = {one.full_name for one in kept}
    for one in found:
        flow = one.entrypoint.rpartition(":")[2]
        if f"{flow}/{one.name}" not in names:
            client.delete_deployment(one.id)
            yield f"{flow}/{one.name}"


def _found(client: Any, wanted: Wanted) -> Any:
    from prefect.exceptions import ObjectNotFound

    try:
        return client.read_deployment_by_name(wanted.full_name)
    except ObjectNotFound:
        return None


def _said(deployment: Any) -> object:
    schedules = [(one.schedule.model_dump(), one.active) for one in deployment.schedules]
    return schedules, [getattr(deployment, name) for name in SAID]
