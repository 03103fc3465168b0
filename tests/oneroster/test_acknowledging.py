"""A sender that sends nothing: every errand ends as it would at a target that takes everything."""

from __future__ import annotations

import asyncio
from typing import get_args

from connectors.oneroster.operations import Action, Operation
from connectors.oneroster.senders import RehearsalSender


def test_each_errand_has_the_end_that_it_is_sent_for() -> None:
    """Only what can be in no address fails, there as here."""
    actions: tuple[Action, ...] = get_args(Action)
    errands = [
        *(Operation("users", action, {"sourcedId": "ana"}) for action in actions),
        Operation("users", "create", {"sourcedId": ".."}),
    ]
    results, error = asyncio.run(RehearsalSender().run("load users 1/1", errands, 10, None))

    assert (list(range(len(errands))), None) == (list(results), error)
    assert [
        "created",
        "updated",
        "updated",
        "created",
        "updated",
        "deleted",
        "disabled",
        "disabled",
        "kept",
        "failed",
    ] == [one.term for one in results.values()]
