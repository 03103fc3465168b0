"""A sender that sends nothing, and says of every record that the target has acknowledged it: for rehearsals."""

from __future__ import annotations

import asyncio

from connectors.oneroster.errands import Action, Errand
from connectors.oneroster.job import Sent
from connectors.oneroster.loaded import Result
from connectors.oneroster.sending import DOTS
from connectors.oneroster.wire import addressable
from transforms.changes import REMOVALS, Term

TERMS: dict[Action, Term] = {
    "create": "created", "revive": "created", "update": "updated", "agents": "updated",
    "delete": REMOVALS["delete"][0], "disable": REMOVALS["disable"][0], "end": REMOVALS["end"][0],
}  # fmt: skip


class Acknowledging:
    """Runs errands as a target would that takes everything."""

    requests = 0
    retries = 0

    async def run(self, _batch: str, errands: list[Errand], _at_once: int, _stop: asyncio.Event | None) -> Sent:
        """Give each errand the result that it would have, but for what the target alone can know."""
        return {place: _done(errand) for place, errand in enumerate(errands)}, None


def _done(errand: Errand) -> Result:
    return Result(TERMS[errand.action]) if addressable(errand.record["sourcedId"]) else Result("failed", DOTS)
