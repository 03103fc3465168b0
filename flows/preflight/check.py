"""What a preflight is made of: checks, each with how it stands and a sentence."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from flows.result import DONE, FAILED, REFUSED, USAGE

Standing = Literal["ok", "warning", "not ok", "not looked at"]
# Of several reasons to fail, the first of these gives the exit code: what is wrong in the settings may be the cause of the rest.
ORDER = (USAGE, FAILED, REFUSED)


@dataclass(frozen=True)
class Check:
    """One thing that was looked at; `says` ends with the next step if it is not ok, `exit` is the code that it then gives.

    What it says of several things stands on a line each.
    """

    name: str
    standing: Standing
    says: str
    exit: int = DONE


@dataclass(frozen=True)
class Preflight:
    """All that can be known before a first load of a feed into a target (blank: not known)."""

    feed: str
    target: str
    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing stands in the way of a load; warnings do not."""
        return not any(check.standing == "not ok" for check in self.checks)

    @property
    def exit_code(self) -> int:
        """2 for settings, 1 for what the target or this machine refuses, 4 for a drop that is refused."""
        codes = {check.exit for check in self.checks if check.standing == "not ok"}
        return next((code for code in ORDER if code in codes), DONE)

    def lines(self) -> list[str]:
        """Say how each check stands, a line each."""
        return [
            f"{check.standing}: {check.name}: {' '.join(check.says.split())}"
            for check in self.checks
        ]

    def as_json(self) -> dict[str, Any]:
        """Give the object that `--json` prints."""
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


def ok(name: str, says: str) -> Check:
    """Say that something is as it should be."""
    return Check(name, "ok", says)


def warning(name: str, says: str) -> Check:
    """Say what a person should know, and that does not stand in the way."""
    return Check(name, "warning", says)


def failed(name: str, says: str, exit_code: int = FAILED) -> Check:
    """Say what stands in the way."""
    return Check(name, "not ok", says, exit_code)


def unseen(name: str, why: str) -> Check:
    """Say what could not be looked at, and why."""
    return Check(name, "not looked at", why)
