"""`roster probe`: finds out what the API of a staging target does, and stores the answers."""

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

from connectors.oneroster.probe.questions import QUESTIONS, ProbeFact, ProbeProblem, find_problems
from connectors.oneroster.probe.records import PREFIX, MadeRecord, ProbeRecords
from connectors.oneroster.probe.run import probe as ask_questions
from connectors.private_files import write_private
from flows.errors import SettingsError
from flows.feeds.targets import choose_target
from flows.options import Options
from flows.result import DONE, FAILED
from flows.send import open_target
from flows.target import Target

REFUSED = (
    "A probe writes throw-away records, and nothing says that {target} may be used for that. "
    "If it is a staging target, say so under [target] in its feed file: staging = true."
)
WRITING = (
    "Target: {target}, into which throw-away records are written and deleted again; "
    "their ids begin with {prefix}"
)
LEFT = "Not deleted yet: {names}. The next probe tries again."


@dataclass(frozen=True)
class StoredProbe:
    """The result of a probe of a target."""

    target: str
    created_by_put: frozenset[str]  # the collections in which, as far as we know, a PUT creates
    at: datetime  # UTC
    facts: tuple[ProbeFact, ...] = ()
    left: tuple[MadeRecord, ...] = ()  # as in `Probe`
    broken: str = ""  # as in `Probe`
    requests: int = 0

    @property
    def problems(self) -> list[ProbeProblem]:
        """Where the target differs from what the loader assumes."""
        return find_problems(self.facts, self.created_by_put)

    @property
    def exit_code(self) -> int:
        """1 if the probe ended early, or left records in the target."""
        return FAILED if self.broken or self.left else DONE

    def as_json(self) -> dict[str, Any]:
        """Return the object that is stored, and that `--json` prints."""
        return {
            "target": self.target,
            "at": self.at.isoformat(timespec="seconds"),
            "broken": self.broken or None,
            "left": [list(one) for one in self.left],
            "requests": self.requests,
            "problems": [asdict(problem) for problem in self.problems],
            "facts": [asdict(fact) for fact in self.facts],
        }


def is_staging(options: Options, environment: Mapping[str, str]) -> bool:
    """Whether a target may be probed. Raises `SettingsError` for invalid settings."""
    return _choose_target(options, environment)[1]


def probe(
    options: Options, environment: Mapping[str, str], say: Callable[[str], None] = lambda _: None
) -> StoredProbe:
    """Probe a target and store the result. Raises `SettingsError` if it is no staging target."""
    target, staging = _choose_target(options, environment)
    if not staging:
        raise SettingsError(REFUSED.format(target=target.name))
    run, before = secrets.token_hex(4), read_probe(options.state, target)
    new = unprobed(target)
    earlier = before.left if before else ()
    say(WRITING.format(target=target.name, prefix=f"{PREFIX}{run}"))

    def store_left(left: Sequence[MadeRecord]) -> None:
        """Store what may still be in the target, however the probe ends."""
        store_probe(options.state, replace(before or new, left=tuple(left)))

    # If this probe is killed, the next one deletes its records by the stored ids.
    store_left([*earlier, *ProbeRecords(run).ids()])
    with open_target(target, options.state, 1) as address:
        try:
            found = asyncio.run(ask_questions(address, run, earlier, store_left))
        except KeyboardInterrupt:
            _report_left(options.state, target, say)
            raise
    probed = replace(
        new, facts=found.facts, left=found.left, broken=found.broken, requests=found.requests
    )
    if not (probed.broken and before):  # an incomplete probe knows less than the previous one
        store_probe(options.state, probed)
    return probed


def _choose_target(options: Options, environment: Mapping[str, str]) -> tuple[Target, bool]:
    """Return the target, and whether it is for staging.

    It is if it runs on this machine, or if the feed file says so of it.
    """
    feed = None
    if options.drop.suffix.lower() == ".toml":
        # The models of feed files take a while to build, and a bare drop does not need them.
        from flows.feeds.feed import read_feed

        feed = read_feed(options.drop)
    target = choose_target(options.target, feed, environment)
    declared = (
        feed is not None
        and feed.target.staging
        and choose_target(None, feed, environment).name == target.name
    )
    return target, target.on_this_machine or declared


def _report_left(state: Path, target: Target, say: Callable[[str], None]) -> None:
    probed = read_probe(state, target)
    if probed and probed.left:
        say(
            LEFT.format(names=", ".join(f"{name} {sourced_id}" for name, sourced_id in probed.left))
        )


def problem_sentence(problem: ProbeProblem) -> str:
    """Return a sentence about a difference from what the loader assumes, and its effect."""
    where = ", ".join(filter(None, problem.collections))
    return (
        f"{QUESTIONS[problem.question].says}: "
        f"{problem.answer}{f' ({where})' if where else ''}. "
        f"So {problem.means}."
    )


def unprobed(target: Target) -> StoredProbe:
    """Return what is known of a target before it is probed."""
    by_put = frozenset(name for name, one in target.profile.collections.items() if one.put_creates)
    return StoredProbe(target.name, by_put, datetime.now(UTC))


def read_probe(state: Path, target: Target) -> StoredProbe | None:
    """Return the stored result of the last probe of a target.

    None if there is none, or it cannot be read.
    """
    try:
        read = json.loads(_probe_file(state, target.name).read_text("utf-8"))
        left = tuple((str(name), str(sourced_id)) for name, sourced_id in read["left"])
        facts = tuple(ProbeFact(**fact) for fact in read["facts"])
        return replace(
            unprobed(target),
            at=datetime.fromisoformat(read["at"]),
            facts=facts,
            left=left,
            broken=read["broken"] or "",
            requests=read["requests"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def store_probe(state: Path, probed: StoredProbe) -> Path:
    """Store a probe instead of the last one of its target. Return the file."""
    path = _probe_file(state, probed.target)
    write_private(path, json.dumps(probed.as_json(), indent=2) + "\n")
    return path


def _probe_file(state: Path, target: str) -> Path:
    words = re.sub(r"[^a-z0-9.]+", "-", target.rpartition("//")[2]).strip("-")
    # Two addresses may be the same without their punctuation.
    mark = "" if words == target else f"-{sha256(target.encode()).hexdigest()[:8]}"
    return state / "probes" / f"{words}{mark}.json"
