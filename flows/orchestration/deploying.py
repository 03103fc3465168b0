"""`roster deploy`: makes a deployment of each feed's file in a folder, with its schedule, and a ceiling for each target."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flows.errors import SettingsError
from flows.feeds.files import FEEDS, feed_file
from flows.feeds.keys import key_of
from flows.feeds.settings import Feed, read_feed
from flows.options import from_feed
from flows.orchestration.ceilings import ceiling
from flows.orchestration.deployments import NoServer, Wanted, apply, client, need_pools, take_away, taken
from flows.result import DONE, FAILED
from flows.target import SANDBOX

MORNING = "0 6 * * *"


@dataclass(frozen=True)
class Planned:
    """A feed that is to be deployed; `target` is its name in the ledger."""

    file: Path
    feed: Feed
    target: str

    def wanted(self, state: Path, pool: str) -> Wanted:
        """Its nightly deployment, which has the name of its file."""
        said = self.feed.schedule
        parameters = {"district": str(self.file), "state": str(state)}
        description = f"Carries the drops of {self.file.name} into {self.target}."
        return Wanted("nightly", self.file.stem, self.file, parameters, description, said.pool or pool,
                      said.cron or "", self.feed.time_zone, self.file.parent, said.paused)  # fmt: skip


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
    said: dict[str, Any] = {"deployments": {one.full_name: {"due": one.due, "pool": one.pool} for one in wanted},
                            "ceilings": {ceiling(target): limit for target, limit in _limits(feeds).items()},
                            "taken_away": []}  # fmt: skip
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
            found.append(Planned(file.absolute(), read_feed(file), key_of(file, environment).target))
        except SettingsError as error:
            problems += error.problems
    if problems:
        raise SettingsError(*problems)
    if not found:
        raise SettingsError(f"{folder} has no feed's file (*.toml). Name the folder of the feeds' files.")
    return found


def _summary(feeds: list[Planned], folder: Path, state: Path, pool: str) -> Wanted:
    zone = Counter(one.feed.time_zone for one in feeds).most_common(1)[0][0]
    parameters = {"feeds": str(folder), "state": str(state)}
    description = f"Says how every feed of {folder} stands."
    return Wanted("summary", folder.name, folder, parameters, description, pool, MORNING, zone, folder)


def _deploy(said: dict[str, Any], wanted: list[Wanted], tag: str, state: Path) -> None:
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
    lines += [f"{name}: {limit} requests at once, from all machines" for name, limit in outcome["ceilings"].items()]
    lines += [f"{name}: taken away, since its file is gone" for name in outcome["taken_away"]]
    return "\n".join(lines)
