"""`roster deploy`: makes a deployment of each feed's file in a folder, with its schedule, and a ceiling for each target."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from flows.errors import SettingsError
from flows.feeds.feed import FEEDS, Feed, feed_file, read_feed
from flows.feeds.keys import key_of
from flows.options import from_feed
from flows.orchestration.access import here
from flows.orchestration.tasks import ceiling
from flows.result import DONE, FAILED
from flows.target import SANDBOX

MORNING = "0 6 * * *"


@dataclass(frozen=True)
class Planned:
    """A feed that is to be deployed; `target` is its name in the ledger."""

    file: Path
    feed: Feed
    target: str

    def wanted(self, state: Path, pool: str) -> WantedDeployment:
        """Its nightly deployment, which has the name of its file."""
        said = self.feed.schedule
        parameters = {"district": str(self.file), "state": str(state)}
        description = f"Carries the drops of {self.file.name} into {self.target}."
        return WantedDeployment(
            "nightly",
            self.file.stem,
            self.file,
            parameters,
            description,
            said.pool or pool,
            said.cron or "",
            self.feed.time_zone,
            self.file.parent,
            said.paused,
        )


@dataclass(frozen=True)
class DeployResult:
    """What was deployed, or would be."""

    outcome: dict[str, Any] = field(default_factory=dict)  # the object that `--json` prints
    error: str = ""  # why there is no server that could be asked

    @property
    def exit_code(self) -> int:
        """1 if there was no server."""
        return FAILED if self.error else DONE


def deploy(
    folder: Path, state: Path, environment: Mapping[str, str], *, pool: str, dry_run: bool = False
) -> DeployResult:
    """Deploy the feeds of a folder, and take away what was deployed of it and has no file any more.

    Raises `SettingsError` with everything that is wrong in any of the files, and then deploys nothing.
    """
    feeds = planned(folder, environment)
    wanted = [one.wanted(state.absolute(), pool) for one in feeds]
    wanted.append(_summary(feeds, folder.absolute(), state.absolute(), pool))
    said: dict[str, Any] = {
        "deployments": {one.full_name: {"due": one.due, "pool": one.pool} for one in wanted},
        "ceilings": {ceiling(target): limit for target, limit in _limits(feeds).items()},
        "taken_away": [],
    }
    try:
        if not dry_run:
            _deploy(said, wanted, f"feeds:{folder.absolute()}", state.absolute())
    except NoServer as error:
        return DeployResult(error=str(error))
    return DeployResult(said)


def planned(folder: Path, environment: Mapping[str, str]) -> list[Planned]:
    """Read every feed's file of a folder. Raises `SettingsError` with all that is wrong."""
    found: list[Planned] = []
    problems: list[str] = []
    for file in sorted(folder.glob("*.toml")):
        try:
            feed_file(str(file.absolute()), {FEEDS: str(folder)})  # else no night could read it
            found.append(
                Planned(file.absolute(), read_feed(file), key_of(file, environment).target)
            )
        except SettingsError as error:
            problems += error.problems
    if problems:
        raise SettingsError(*problems)
    if not found:
        raise SettingsError(
            f"{folder} has no feed's file (*.toml). Name the folder of the feeds' files."
        )
    return found


def _summary(feeds: list[Planned], folder: Path, state: Path, pool: str) -> WantedDeployment:
    zone = Counter(one.feed.time_zone for one in feeds).most_common(1)[0][0]
    parameters = {"feeds": str(folder), "state": str(state)}
    description = f"Says how every feed of {folder} stands."
    return WantedDeployment(
        "summary", folder.name, folder, parameters, description, pool, MORNING, zone, folder
    )


def _deploy(said: dict[str, Any], wanted: list[WantedDeployment], tag: str, state: Path) -> None:
    """Make the server have what is wanted, and note of each deployment what that changed."""
    with client(state) as server:
        need_pools(server, wanted)
        if problems := taken(server, wanted):
            raise SettingsError(*problems)
        for one in wanted:
            said["deployments"][one.full_name]["is"] = apply(server, one, tag)
        for name, limit in said["ceilings"].items():
            server.upsert_global_concurrency_limit_by_name(name, limit)
        said["taken_away"] = list(take_away(server, tag, wanted))


def _limits(feeds: list[Planned]) -> dict[str, int]:
    """How many requests each target bears at once: the most that any of its feeds makes. Sandboxes are nobody else's."""
    limits: dict[str, int] = {}
    for one in feeds:
        if one.target != SANDBOX:
            limits[one.target] = max(limits.get(one.target, 0), from_feed("concurrency", one.feed))
    return limits


def deployment_text(outcome: Mapping[str, Any]) -> str:
    """Say for people what was done, or with `--dry-run` would be."""
    lines = [
        f"{name}: {one['due']}, in pool {one['pool']}{', ' + one['is'] if 'is' in one else ''}"
        for name, one in outcome["deployments"].items()
    ]
    lines += [
        f"{name}: {limit} requests at once, from all machines"
        for name, limit in outcome["ceilings"].items()
    ]
    lines += [f"{name}: taken away, since its file is gone" for name in outcome["taken_away"]]
    return "\n".join(lines)


# Where flows are loaded from: the folder above `flows`.
ROOT = Path(__file__).parents[2]
TAG, PAGE = "roster", 200
NO_SERVER = (
    "No Prefect server answers at {address}. Start one (make server), or set $PREFECT_API_URL to "
    "one that runs."
)
NO_ACCESS = (
    "The Prefect server at {address} does not let us in (HTTP 401). Set $PREFECT_API_AUTH_STRING "
    "to its password."
)
NO_POOL = (
    "There is no work pool {pool!r}. Start its worker, which makes it: prefect worker start "
    "--pool {pool}"
)
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
class WantedDeployment:
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
        return (
            f"{self.cron} {self.time_zone}{', paused' if self.paused else ''}"
            if self.cron
            else "no schedule"
        )


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
                raise NoServer(
                    NO_SERVER.format(address=address or "$PREFECT_API_URL, which is not set")
                )
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
    with settings.temporary_settings(
        updates={getattr(settings, name): value for name, value in more.items()}
    ):
        yield settings.get_current_settings().api.url


def taken(client: Any, wanted: Sequence[WantedDeployment]) -> list[str]:
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


def need_pools(client: Any, wanted: Sequence[WantedDeployment]) -> None:
    """Raise `NoServer` for a work pool that is not there."""
    from prefect.exceptions import ObjectNotFound

    for pool in sorted({one.pool for one in wanted}):
        try:
            client.read_work_pool(pool)
        except ObjectNotFound:
            raise NoServer(NO_POOL.format(pool=pool)) from None


def apply(client: Any, wanted: WantedDeployment, tag: str) -> Change:
    """Make or renew a deployment, run one at a time; say whether that changed anything."""
    from prefect import flow
    from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
    from prefect.schedules import Cron

    before = _found(client, wanted)
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
    after = _found(client, wanted)
    return "new" if before is None else "unchanged" if _said(before) == _said(after) else "changed"


def take_away(client: Any, tag: str, kept: Sequence[WantedDeployment]) -> Iterator[str]:
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


def _found(client: Any, wanted: WantedDeployment) -> Any:
    from prefect.exceptions import ObjectNotFound

    try:
        return client.read_deployment_by_name(wanted.full_name)
    except ObjectNotFound:
        return None


def _said(deployment: Any) -> object:
    schedules = [(one.schedule.model_dump(), one.active) for one in deployment.schedules]
    return schedules, [getattr(deployment, name) for name in SAID]
