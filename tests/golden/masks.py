"""Masks for what is random, so that two recordings of the same behavior are identical.

The clock is fixed while the program runs, and all paths are relative, so dates, times and paths
stay as they are. These are masked, and nothing else:

| in the program | in the records |
|---|---|
| the random end of a run's id, `20261124-0201..-4f1a` | `20261124-0201..-RUN1`, numbered |
| a plan's id, which depends on the target's port | `PLAN1`, numbered |
| the port of the sandbox | `127.0.0.1:PORT` |
| the access token, and the release of httpx, in headers (see `requests.py`) | `TOKEN`, `RELEASE` |
| file names that depend on the port: a feed's folder of rosters | `FEED` |
| and: the slots of a target, the lock of a feed | `TARGET`, `LOCK` |
| the time that a run took: `"seconds": 0.213`, and `0.2 s` at the top of a report | `SECONDS` |
| the process and the host in the ledger's table of locks | `PROCESS`, `HOST` |
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

RUN = re.compile(r"\b(\d{8}-\d{6}-)([0-9a-f]{8})\b")
FIXED = (
    (re.compile(r'(?<="seconds": )\d+(\.\d+)?'), "SECONDS"),
    (re.compile(r"(?<=-RUN)(\d+), \d+\.\d s,"), r"\1, SECONDS s,"),
    (re.compile(r"(?<= state/rosters/)([\w-]+)-[0-9a-f]{12}\b"), r"\1-FEED"),
    (re.compile(r"(?<= state/slots/)[0-9a-f]{32}\b"), "TARGET"),
    (re.compile(r"(?<= state/locks/)[0-9a-f]{32}(?=\.lock\b)"), "LOCK"),
    (
        re.compile(r"(?<=\blocks \| )(.*\| )process=\d+ \| host=[^|]+ \|"),
        r"\1process=PROCESS | host=HOST |",
    ),
)


@dataclass
class Masks:
    """The masks of one sample's records. An id has the same placeholder in all of them."""

    port: int  # of the sandbox
    runs: dict[str, str] = field(default_factory=dict)  # id of a run -> its placeholder
    plans: dict[str, str] = field(default_factory=dict)  # id of a plan -> its placeholder

    def learn_plan(self, plan: str) -> None:
        """Give a plan's id a placeholder. No pattern could tell it from a phone number."""
        self.plans.setdefault(plan, f"PLAN{len(self.plans) + 1}")

    def over(self, text: str) -> str:
        """Mask one line or many."""
        text = text.replace(f"127.0.0.1:{self.port}", "127.0.0.1:PORT")
        text = RUN.sub(lambda found: found[1] + self._run(found[0]), text)
        for plan, placeholder in self.plans.items():
            text = re.sub(rf"\b{plan}\b", placeholder, text)
        for pattern, placeholder in FIXED:
            text = pattern.sub(placeholder, text)
        return text

    def _run(self, run: str) -> str:
        return self.runs.setdefault(run, f"RUN{len(self.runs) + 1}")
