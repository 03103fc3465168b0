"""`roster probe`: finds out on a staging target what its API really does, keeps it, and tells it."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from connectors.oneroster.probe.questions import QUESTIONS, Fact, ProbeProblem, problems
from connectors.oneroster.probe.records import PREFIX, Made, Throwaways
from connectors.oneroster.probe.run import probe as asked
from connectors.private_files import write_private
from flows.errors import SettingsError
from flows.feeds.targets import choose
from flows.options import Options
from flows.result import DONE, FAILED
from flows.send import open_target
from flows.target import Target

REFUSED = (
    "A probe writes throw-away records, and nothing says that {target} is for that. "
    "If it is a staging target, say so under [target] in its feed's file: staging = true."
)
WRITING = (
    "Target: {target}, into which throw-away records are written and deleted again; "
    "their ids begin with {prefix}"
)
LEFT = "Not taken away yet: {names}. The next probe tries again."


def is_staging(options: Options, environment: Mapping[str, str]) -> bool:
    """Tell whether a target may be probed. Raises `SettingsError` for settings that cannot be meant."""
    return _chosen(options, environment)[1]


def probe(
    options: Options, environment: Mapping[str, str], say: Callable[[str], None] = lambda _: None
) -> Probed:
    """Find out what a target does, and keep that. Raises `SettingsError` for a target that is not for staging."""
    target = _target(options, environment)
    run, before = secrets.token_hex(4), kept(options.state, target)
    new = begun(target)
    earlier = before.left if before else ()
    say(WRITING.format(target=target.name, prefix=f"{PREFIX}{run}"))

    def swept(left: Sequence[Made]) -> None:
        """Keep what may still be there, however the probe ends."""
        keep(options.state, replace(before or new, left=tuple(left)))

    # A probe that is killed leaves its ids here, and the next one takes their records away.
    swept([*earlier, *Throwaways(run).ids()])
    with open_target(target, options.state, 1) as address:
        try:
            found = asyncio.run(asked(address, run, earlier, swept))
        except KeyboardInterrupt:
            _tell_left(options.state, target, say)
            raise
    probed = replace(
        new, facts=found.facts, left=found.left, broken=found.broken, requests=found.requests
    )
    if not (probed.broken and before):  # one that broke off knows less than the one before
        keep(options.state, probed)
    return probed


def _target(options: Options, environment: Mapping[str, str]) -> Target:
    target, staging = _chosen(options, environment)
    if not staging:
        raise SettingsError(REFUSED.format(target=target.name))
    return target


def _chosen(options: Options, environment: Mapping[str, str]) -> tuple[Target, bool]:
    """Choose the target, and say whether it is for staging: on this machine, or because the feed's file says so of it."""
    feed = None
    if options.drop.suffix.lower() == ".toml":
        from flows.feeds.feed import read_feed

        feed = read_feed(options.drop)
    target = choose(options.target, feed, environment)
    said = (
        feed is not None
        and feed.target.staging
        and choose(None, feed, environment).name == target.name
    )
    return target, target.on_this_machine or said


def _tell_left(state: Path, target: Target, say: Callable[[str], None]) -> None:
    probed = kept(state, target)
    if probed and probed.left:
        say(
            LEFT.format(names=", ".join(f"{name} {sourced_id}" for name, sourced_id in probed.left))
        )


@dataclass(frozen=True)
class Probed:
    """What a probe found out about a target, and when (UTC). `broken` and `left` as in `Probe`.

    `created_by_put` are the collections where, as far as we know, a PUT makes what is not there.
    """

    target: str
    created_by_put: frozenset[str]
    at: datetime
    facts: tuple[Fact, ...] = ()
    left: tuple[Made, ...] = ()
    broken: str = ""
    requests: int = 0

    @property
    def problems(self) -> list[ProbeProblem]:
        """Where the target differs from what the loader assumes."""
        return problems(self.facts, self.created_by_put)

    @property
    def exit_code(self) -> int:
        """1 if it broke off, or left something in the target."""
        return FAILED if self.broken or self.left else DONE

    def as_json(self) -> dict[str, Any]:
        """Give the object that is kept, and that `--json` prints."""
        return {
            "target": self.target,
            "at": self.at.isoformat(timespec="seconds"),
            "broken": self.broken or None,
            "left": [list(one) for one in self.left],
            "requests": self.requests,
            "problems": [asdict(problem) for problem in self.problems],
            "facts": [asdict(fact) for fact in self.facts],
        }


def problem_sentence(problem: ProbeProblem) -> str:
    """Say where a target differs from what the loader assumes, and what that comes to."""
    where = ", ".join(filter(None, problem.collections))
    return (
        f"{QUESTIONS[problem.question].says}: "
        f"{problem.answer}{f' ({where})' if where else ''}. "
        f"So {problem.means}."
    )


def begun(target: Target) -> Probed:
    """Give what is known of a target before it is probed."""
    by_put = frozenset(name for name, one in target.profile.collections.items() if one.put_creates)
    return Probed(target.name, by_put, datetime.now(UTC))


def kept(state: Path, target: Target) -> Probed | None:
    """Read what is kept of the last probe of a target; None if nothing is, or it cannot be understood."""
    try:
        read = json.loads(_file(state, target.name).read_text("utf-8"))
        left = tuple((str(name), str(sourced_id)) for name, sourced_id in read["left"])
        facts = tuple(Fact(**fact) for fact in read["facts"])
        return replace(
            begun(target),
            at=datetime.fromisoformat(read["at"]),
            facts=facts,
            left=left,
            broken=read["broken"] or "",
            requests=read["requests"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def keep(state: Path, probed: Probed) -> Path:
    """Keep a probe in place of the last one of its target; give the file."""
    path = _file(state, probed.target)
    write_private(path, json.dumps(probed.as_json(), indent=2) + "\n")
    return path


def _file(state: Path, target: str) -> Path:
    words = re.sub(r"[^a-z0-9.]+", "-", target.rpartition("//")[2]).strip("-")
    # Two addresses may be alike without their slashes.
    mark = "" if words == target else f"-{sha256(target.encode()).hexdigest()[:8]}"
    return state / "probes" / f"{words}{mark}.json"
