"""Remove one person from a target.

First a PUT blanks all it can. Then the records are deleted, children first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from connectors.oneroster import wire
from connectors.oneroster.client import Client
from connectors.oneroster.merge import is_blank, is_reference, is_same, to_write_shape
from connectors.oneroster.operations import ID_OF_DOTS, delete, put
from connectors.oneroster.outcomes import RecordResult
from connectors.oneroster.profile import Collection
from connectors.oneroster.senders import run_concurrently
from transforms.payload import Json

Step = Literal["blank", "unlink", "delete"]
ForgetStep = tuple[Step, str, str]
USERS = "users"
# What the target requires of every user, with values that identify nobody.
NEUTRAL: Json = {
    "givenName": "forgotten",
    "familyName": "forgotten",
    "email": "forgotten@example.invalid",
    "enabledUser": False,
}
ROLE = ("roleType", "role", "org")
# The collections whose records have personal data beside references.
PERSONAL = frozenset({"users", "demographics", "results", "assessmentResults"})


@dataclass
class Forgotten:
    """What became of a person in a target."""

    # Ids by entity.
    deleted: dict[str, list[str]] = field(default_factory=dict)
    # Users who no longer have the person as an agent.
    unlinked: list[str] = field(default_factory=list)
    # (entity, id, reason).
    failed: list[tuple[str, str, str]] = field(default_factory=list)
    # Why the target cannot be used; blank if it can.
    error: str = ""

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do."""
        return not self.failed and not self.error


async def forget(
    client: Client, person: str, ids: Mapping[str, Sequence[str]], friends: Sequence[str]
) -> Forgotten:
    """Blank and delete what we sent of a person (`ids` by entity).

    The person is also removed from the agents of `friends`. A record that cannot be blanked is
    deleted all the same, and counts as failed.
    """
    done = Forgotten()
    for errands in _stages(client.profile.collections, person, ids, friends):
        results, error = await run_concurrently(
            errands, client.concurrency, lambda one: _carry_out(client, one, person)
        )
        for place, result in sorted(results.items()):
            _note(done, errands[place], result)
        if error:
            done.error = str(error)
            break
    return done


def _stages(
    collections: Iterable[str],
    person: str,
    ids: Mapping[str, Sequence[str]],
    friends: Sequence[str],
) -> Iterator[list[ForgetStep]]:
    """Yield the operations that can run at once, stage after stage.

    Names are blanked first, then links removed, then the person's records deleted, then the person.
    """
    mine = [name for name in reversed(list(collections)) if name != USERS and ids.get(name)]
    users = [one for one in ids.get(USERS, ()) if one == person]
    yield [("blank", USERS, one) for one in users]
    yield [("unlink", USERS, one) for one in friends]
    for name in mine:
        if name in PERSONAL:
            yield [("blank", name, one) for one in ids[name]]
        yield [("delete", name, one) for one in ids[name]]
    yield [("delete", USERS, one) for one in users]


def _note(done: Forgotten, errand: ForgetStep, result: RecordResult) -> None:
    step, name, sourced_id = errand
    if result.term == "failed":
        done.failed.append((name, sourced_id, result.detail))
    elif step == "unlink":
        done.unlinked.append(sourced_id)
    elif step == "delete":
        done.deleted.setdefault(name, []).append(sourced_id)


async def _carry_out(client: Client, errand: ForgetStep, person: str) -> RecordResult:
    step, name, sourced_id = errand
    collection = client.profile.collections[name]
    if not wire.is_addressable(sourced_id):
        return RecordResult("failed", ID_OF_DOTS)
    if step == "delete":
        return await delete(client, collection, sourced_id)
    return await _put_less(client, collection, sourced_id, person, step)


async def _put_less(
    client: Client, collection: Collection, sourced_id: str, person: str, step: Step
) -> RecordResult:
    """Read a record and PUT less of it.

    A record that is not there, or has nothing to remove, is left alone.
    """
    request = wire.read(collection, sourced_id)
    answer = await client.send(request)
    outcome = wire.outcome_of(request, answer)
    if outcome.kind == "missing":
        return RecordResult("unchanged")
    record = wire.record_in(collection, answer)
    if outcome.kind != "done" or record is None:
        return RecordResult(
            "failed", outcome.detail or "the target's record could not be understood"
        )
    theirs = to_write_shape(collection, record)
    less: Json = (
        without_agent(theirs, person) if step == "unlink" else without_content(collection, theirs)
    )
    if is_same(theirs, less):
        return RecordResult("unchanged")
    outcome = await put(client, collection, theirs, less)
    return (
        RecordResult("updated")
        if outcome.kind == "done"
        else RecordResult("failed", outcome.detail)
    )


def without_content(collection: Collection, record: Json) -> Json:
    """Return a record in write shape without its content.

    Only what a PUT must have, references and neutral values stay.
    """
    kept = {"sourcedId", "status", *collection.required_on_put}
    # A flag that may not be null must be one of two words (appendix A).
    neutral = {} if collection.nullable_flags else dict.fromkeys(_flags(collection), "false")
    blank_record = {
        name: value if name in kept or is_reference(value) else neutral.get(name, _cleared(value))
        for name, value in record.items()
    }
    if collection.name != "users":
        return blank_record
    # A read does not show the password, and a PUT keeps properties that it does not name.
    return (
        blank_record
        | NEUTRAL
        | {"roles": [_role(role) for role in record.get("roles") or ()], "password": None}
    )


def without_agent(record: Json, person: str) -> Json:
    """Return a user without one of its agents."""
    agents = record.get("agents") or []
    return record | {"agents": [agent for agent in agents if agent.get("sourcedId") != person]}


def _flags(collection: Collection) -> list[str]:
    return [column.json for column in collection.entity.columns if column.kind == "boolean"]


def _role(role: Json) -> Json:
    return {name: role[name] for name in ROLE if name in role}


def _cleared(value: Any) -> Any:
    """Return the blank form of a value.

    The keys of metadata stay, as null: a PUT merges metadata, so a missing key would remain.
    """
    if isinstance(value, dict) and not is_blank(value):
        return dict.fromkeys(value)
    return [] if isinstance(value, list) else None
