"""What is kept of probes: for each target a file that only its owner may read, with the facts and what could not be taken away."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from connectors.oneroster.assumptions import QUESTIONS, Fact, Problem, problems
from connectors.oneroster.throwaway import Made
from connectors.private_files import write_private
from flows.result import DONE, FAILED
from flows.target import Target


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
    def problems(self) -> list[Problem]:
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


def problem_sentence(problem: Problem) -> str:
    """Say where a target differs from what the loader assumes, and what that comes to."""
    where = ", ".join(filter(None, problem.collections))
    return f"{QUESTIONS[problem.question].says}: {problem.answer}{f' ({where})' if where else ''}. So {problem.means}."


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
