"""Takes one person out of a target: what a PUT can blank is blanked, then all is deleted, children first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from connectors.oneroster import wire
from connectors.oneroster.client import Client
from connectors.oneroster.merge import blank, is_reference, same, write_shape
from connectors.oneroster.operations import DOTS, put, remove
from connectors.oneroster.outcomes import RecordResult
from connectors.oneroster.profile import Collection
from connectors.oneroster.senders import spread
from transforms.payload import Json

Step = Literal["blank", "unlink", "delete"]
Errand = tuple[Step, str, str]
USERS = "users"


@dataclass
class Forgotten:
    """What became of a person in a target: ids by entity that are `deleted`, users who are `unlinked`, and what failed.

    `failed` has entity, id and reason; `error` says why the target is of no use, if it is.
    """

    deleted: dict[str, list[str]] = field(default_factory=dict)
    unlinked: list[str] = field(default_factory=list)
    failed: list[tuple[str, str, str]] = field(default_factory=list)
    error: str = ""

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do."""
        return not self.failed and not self.error


async def forget(
    client: Client, person: str, ids: Mapping[str, Sequence[str]], friends: Sequence[str]
) -> Forgotten:
    """Blank and delete what we sent of a person (`ids` by entity), and take the person from the agents of `friends`.

    A record that cannot be blanked is deleted all the same, and counts as failed.
    """
    done = Forgotten()
    for errands in _stages(client.profile.collections, person, ids, friends):
        results, error = await spread(
            errands, client.concurrency, lambda one: _do(client, one, person)
        )
        for place, result in sorted(results.items()):
            _take_note(done, errands[place], result)
        if error:
            done.error = str(error)
            break
    return done


def _stages(
    collections: Iterable[str],
    person: str,
    ids: Mapping[str, Sequence[str]],
    friends: Sequence[str],
) -> Iterator[list[Errand]]:
    """What can be done at once, stage after stage: names first, then links, then what hangs on the person, then the person."""
    mine = [name for name in reversed(list(collections)) if name != USERS and ids.get(name)]
    users = [one for one in ids.get(USERS, ()) if one == person]
    yield [("blank", USERS, one) for one in users]
    yield [("unlink", USERS, one) for one in friends]
    for name in mine:
        if name in PERSONAL:
            yield [("blank", name, one) for one in ids[name]]
        yield [("delete", name, one) for one in ids[name]]
    yield [("delete", USERS, one) for one in users]


def _take_note(done: Forgotten, errand: Errand, result: RecordResult) -> None:
    step, name, sourced_id = errand
    if result.term == "failed":
        done.failed.append((name, sourced_id, result.detail))
    elif step == "unlink":
        done.unlinked.append(sourced_id)
    elif step == "delete":
        done.deleted.setdefault(name, []).append(sourced_id)


async def _do(client: Client, errand: Errand, person: str) -> RecordResult:
    step, name, sourced_id = errand
    collection = client.profile.collections[name]
    if not wire.addressable(sourced_id):
        return RecordResult("failed", DOTS)
    if step == "delete":
        return await remove(client, collection, sourced_id)
    return await _put(client, collection, sourced_id, person, step)


async def _put(
    client: Client, collection: Collection, sourced_id: str, person: str, step: Step
) -> RecordResult:
    """Read a record and put less of it; one that is not there, or says no more, is left alone."""
    request = wire.read(collection, sourced_id)
    answer = await client.send(request)
    outcome = wire.understood(request, answer)
    if outcome.kind == "missing":
        return RecordResult("unchanged")
    record = wire.record_in(collection, answer)
    if outcome.kind != "done" or record is None:
        return RecordResult(
            "failed", outcome.detail or "the target's record could not be understood"
        )
    theirs = write_shape(collection, record)
    less: Json = unlinked(theirs, person) if step == "unlink" else blanked(collection, theirs)
    if same(theirs, less):
        return RecordResult("unchanged")
    outcome = await put(client, collection, theirs, less)
    return (
        RecordResult("updated")
        if outcome.kind == "done"
        else RecordResult("failed", outcome.detail)
    )


# What the target wants of every user, and says nothing of anybody.
NEUTRAL: Json = {
    "givenName": "forgotten", "familyName": "forgotten", "email": "forgotten@example.invalid", "enabledUser": False,
}  # fmt: skip
ROLE = ("roleType", "role", "org")
# The collections whose records say anything of a person but to whom and to what they belong.
PERSONAL = frozenset({"users", "demographics", "results", "assessmentResults"})


def blanked(collection: Collection, record: Json) -> Json:
    """Give a record in write shape with nothing in it but what a PUT must have, references and neutral values."""
    kept = {"sourcedId", "status", *collection.required_on_put}
    # Where a flag may not be null, it must be one of two words (appendix A).
    neutral = {} if collection.nullable_flags else dict.fromkeys(_flags(collection), "false")
    whole = {
        name: value if name in kept or is_reference(value) else neutral.get(name, _cleared(value))
        for name, value in record.items()
    }
    if collection.name != "users":
        return whole
    # A read does not show the password, and what a PUT does not name stays.
    return (
        whole
        | NEUTRAL
        | {"roles": [_role(role) for role in record.get("roles") or ()], "password": None}
    )


def unlinked(record: Json, person: str) -> Json:
    """Give a user without one of its agents."""
    agents = record.get("agents") or []
    return record | {"agents": [agent for agent in agents if agent.get("sourcedId") != person]}


def _flags(collection: Collection) -> list[str]:
    return [column.json for column in collection.entity.columns if column.kind == "boolean"]


def _role(role: Json) -> Json:
    return {name: role[name] for name in ROLE if name in role}


def _cleared(value: Any) -> Any:
    """Metadata is merged by a PUT: a key that were left out would stay."""
    if isinstance(value, dict) and not blank(value):
        return dict.fromkeys(value)
    return [] if isinstance(value, list) else None
