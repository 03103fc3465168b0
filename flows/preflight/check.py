"""The checks of a preflight, each with its state and a sentence."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from flows.result import DONE, FAILED, REFUSED, USAGE

CheckState = Literal["ok", "warning", "not ok", "not looked at"]
# The first of these that occurs is the exit code: wrong settings may cause the other failures.
ORDER = (USAGE, FAILED, REFUSED)


@dataclass(frozen=True)
class Check:
    """The result of one check."""

    name: str
    standing: CheckState
    says: str  # ends with the next step if the check failed; several facts stand on a line each
    exit: int = DONE  # the exit code if the check failed


@dataclass(frozen=True)
class Preflight:
    """The results of all checks before a first load of a feed."""

    feed: str
    target: str  # blank if it is not known
    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing prevents a load. Warnings do not prevent it."""
        return not any(check.standing == "not ok" for check in self.checks)

    @property
    def exit_code(self) -> int:
        """2 for settings, 1 for a failure of the target or this machine, 4 for a refused drop."""
        codes = {check.exit for check in self.checks if check.standing == "not ok"}
        return next((code for code in ORDER if code in codes), DONE)

    def lines(self) -> list[str]:
        """Return the checks, one a line."""
        return [
            f"{check.standing}: {check.name}: {' '.join(check.says.split())}"
            for check in self.checks
        ]

    def as_json(self) -> dict[str, Any]:
        """Return the object that `--json` prints."""
        checks = [
            {name: value for name, value in asdict(check).items() if name != "exit"}
            for check in self.checks
        ]
        return {
            "feed": self.feed,
            "target": self.target,
            "ok": self.ok,
            "exit": self.exit_code,
            "checks": checks,
        }


def passed(name: str, says: str) -> Check:
    """Return a check that passed."""
    return Check(name, "ok", says)


def warning(name: str, says: str) -> Check:
    """Return a check with something that people should know, and that does not prevent a load."""
    return Check(name, "warning", says)


def failed(name: str, says: str, exit_code: int = FAILED) -> Check:
    """Return a check of something that prevents a load."""
    return Check(name, "not ok", says, exit_code)


def not_checked(name: str, why: str) -> Check:
    """Return a check that was not possible, with the reason."""
    return Check(name, "not looked at", why)
