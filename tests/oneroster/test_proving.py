"""What shows that a record in the target is ours: what it says, however the target spells it. A request that was planned does not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from unicodedata import normalize

import httpx
import pytest

from connectors.oneroster import wire
from connectors.oneroster.client import Client
from connectors.oneroster.operations import was_put
from connectors.oneroster.outcomes import RecordProblem
from connectors.oneroster.profile import TIMEBACK
from connectors.oneroster.reconcile import Adoption, adopt
from connectors.oneroster.sandbox import Sandbox
from tests.oneroster.districts import KEY, ORGS, WHOLE, District, enrollment, opened, org, user
from tests.oneroster.odd import Met, odd

USERS = TIMEBACK.collections["users"]
THEIRS = {"status": "active", "enabledUser": True, "givenName": "Somebody", "familyName": "Else", "email": "else@example.edu",
          "roles": [{"role": "student", "roleType": "primary", "org": {"sourcedId": "s"}}]}  # fmt: skip
NAMES = "the target holds this id with another email, familyName, givenName, which we did not send"
PEOPLE = [
    user("u0", email="Ann.Lee@Example.EDU"),
    user("u1", givenName="  Ann"),
    user("u2", familyName="Lee  Park"),
    user("u3", givenName=normalize("NFD", "Zoë")),
    user("u4"),
]


@pytest.fixture
def district(tmp_path: Path, sandbox: Sandbox) -> Iterator[District]:
    """An empty sandbox and an empty ledger."""
    with opened(sandbox, tmp_path) as district:
        yield district


@pytest.fixture
def tidy(tmp_path: Path) -> Iterator[District]:
    """A target that keeps texts of people trimmed, composed and with single spaces, and addresses in lower case."""

    def tidies(met: Met) -> None:
        for name in ("givenName", "familyName", "email"):
            if isinstance(value := met.record.get(name), str):
                met.record[name] = " ".join(normalize("NFC", value).split())
        if "email" in met.record:
            met.record["email"] = met.record["email"].lower()

    with odd(tidies) as sandbox, opened(sandbox, tmp_path) as district:
        district.load(orgs=ORGS)
        yield district


def loses(district: District, method: str, part: str) -> None:
    """Lose the answers to one kind of request, which the target carries out."""
    district.twist = lambda request: (
        httpx.ReadError("lost") if request.method == method and part in str(request.url) else None
    )


def test_an_intent_does_not_make_a_record_ours(district: District) -> None:
    """A run was killed before it had sent anything of its batch, and others have records under the same ids."""
    district.load(orgs=ORGS)
    people = [user(f"u{number}") for number in range(5)]
    for number in range(4):
        district.app(wire.create(USERS, {"sourcedId": f"u{number}", **THEIRS}))
    district.kill(users=people)

    loaded = district.load(users=people)

    assert {"users": {"held": 4, "created": 1}} == loaded.counts
    assert {NAMES} == {trouble.detail for trouble in loaded.troubles}
    assert {"Somebody"} == {
        district.read("users", f"u{number}")["givenName"] for number in range(4)
    }


def test_what_an_earlier_of_two_killed_runs_sent_is_ours(district: District) -> None:
    """The later one had written its own intent over that of the first, and sent nothing."""
    district.kill(orgs=[org("d", name="First")], arrived=["d"])
    district.kill(orgs=[org("d", name="Second")])

    loaded = district.load(orgs=[org("d", name="Third")])

    assert ({"orgs": {"created": 1}}, "Third") == (
        loaded.counts,
        district.read("orgs", "d")["name"],
    )


def test_what_a_killed_run_filled_and_is_blank_now_is_cleared(district: District) -> None:
    """What the drop does not speak of stays, and can be cleared later."""
    district.load(orgs=ORGS)
    district.kill(users=[user("u", phone="123", sms="456")], arrived=["u"])

    district.load(users=[user("u", phone=None)])
    after = district.read("users", "u")
    district.load(users=[user("u", givenName="Zoë", phone=None, sms=None)])

    assert (None, "456") == (after.get("phone"), after["sms"])
    assert None is district.read("users", "u").get("sms")


def test_a_user_whom_a_killed_run_sent_without_agents_is_ours(district: District) -> None:
    """They had waited for a second pass, which never came."""
    district.load(orgs=ORGS)
    people = [user("child", agents="mother"), user("mother")]
    district.kill(users=people)
    district.app(
        wire.create(
            USERS,
            {
                **THEIRS,
                "sourcedId": "child",
                "givenName": "Ann",
                "familyName": "Lee",
                "email": "ann@example.edu",
            },
        )
    )

    loaded = district.load(users=people)

    assert {"users": {"created": 2}} == loaded.counts
    assert ["mother"] == [agent["sourcedId"] for agent in district.read("users", "child")["agents"]]


def test_a_record_of_others_that_says_what_ours_says_is_recorded(district: District) -> None:
    """Nothing is written over it, whether a killed run wanted to send it or not."""
    for one in ("d", "e"):
        district.app(
            wire.create(
                TIMEBACK.collections["orgs"],
                {"sourcedId": one, "status": "active", "name": f"Org {one}", "type": "district"},
            )
        )
    district.kill(orgs=[org("e")])

    loaded = district.load(orgs=[org("d"), org("e")])

    assert {"orgs": {"unchanged": 1, "created": 1}} == loaded.counts
    assert ["POST", "POST"] == [method for method, _ in district.writes()]


def test_nobody_is_foreign_for_how_a_target_spells(tidy: District) -> None:
    """Every answer to a create is lost, and every record is found as the target spells it."""
    loses(tidy, "POST", "/users")

    loaded = tidy.load(users=PEOPLE)
    again = tidy.load(users=PEOPLE)

    assert ({"users": {"created": 5}}, ()) == (loaded.counts, loaded.troubles)
    assert (0, {}) == (again.requests, tidy.ledger.intended(KEY))


def test_what_a_killed_run_sent_is_ours_however_the_target_spells_it(tidy: District) -> None:
    """So is what differs from it by now."""
    tidy.kill(users=PEOPLE, arrived=[row["sourcedId"] or "" for row in PEOPLE])

    loaded = tidy.load(users=[*PEOPLE[:4], user("u4", givenName="Anna")])

    assert {"users": {"created": 5}} == loaded.counts
    assert "Anna" == tidy.read("users", "u4")["givenName"]
    assert 0 == tidy.load(users=[*PEOPLE[:4], user("u4", givenName="Anna")]).requests


def test_a_stranger_stays_foreign_in_a_target_that_spells_in_its_own_way(tidy: District) -> None:
    """Another name is another person's."""
    tidy.app(wire.create(USERS, {"sourcedId": "u0", **THEIRS}))
    loses(tidy, "POST", "/users")

    loaded = tidy.load(users=PEOPLE)

    assert {"users": {"created": 4, "held": 1}} == loaded.counts
    assert (RecordProblem("users", "u0", "held", NAMES),) == loaded.troubles


def test_an_update_whose_answer_is_lost_is_done_however_the_target_spells_it(
    tidy: District,
) -> None:
    """It is read again, and says something else than before."""
    tidy.load(users=[user("u0")])
    loses(tidy, "PUT", "/users/u0")

    loaded = tidy.load(users=[user("u0", givenName="  Zoë ")])

    assert ({"users": {"updated": 1}}, "Zoë") == (
        loaded.counts,
        tidy.read("users", "u0")["givenName"],
    )


def test_a_change_of_spelling_alone_is_done_when_the_target_shows_it() -> None:
    """Else nobody knows, and the next run sends it again."""
    before, record = {"sourcedId": "u", "givenName": "ANN"}, {"sourcedId": "u", "givenName": "Ann"}

    assert (True, False) == (
        was_put(USERS, before, record, record),
        was_put(USERS, before, before, record),
    )
    assert not was_put(USERS, before, {"sourcedId": "u", "givenName": "Zoë"}, record)


def test_what_the_target_works_out_makes_nobody_foreign(district: District) -> None:
    """An enrollment has the school of its class, whatever was sent (section 8)."""
    district.load(**{name: rows for name, rows in WHOLE.items() if name != "enrollments"})
    loses(district, "POST", "/enrollments")

    loaded = district.load(enrollments=[enrollment(schoolSourcedId="d")])

    assert {"enrollments": {"created": 1}} == loaded.counts


@pytest.mark.parametrize(("is_lost", "counts"), [(True, {"created": 1}), (False, {"held": 1})])
def test_a_password_is_ours_only_if_we_sent_it(
    district: District, is_lost: bool, counts: dict[str, int]
) -> None:
    """A read never shows it."""
    district.load(orgs=ORGS)
    if is_lost:
        loses(district, "POST", "/users")
    else:
        district.app(
            wire.create(
                USERS,
                {
                    **THEIRS,
                    "sourcedId": "u",
                    "givenName": "Ann",
                    "familyName": "Lee",
                    "email": "ann@example.edu",
                },
            )
        )

    loaded = district.load(users=[user("u", password="correct horse")])

    assert {"users": counts} == loaded.counts


def test_a_target_that_spells_in_its_own_way_holds_what_was_sent(
    tidy: District, tmp_path: Path
) -> None:
    """Whoever builds the ledger anew finds nothing to change."""
    tidy.load(users=PEOPLE)

    async def run(anew: District) -> Adoption:
        async with Client(tidy.target) as client:
            return await adopt(
                client, anew.ledger, KEY, "adopted", anew.changes(users=PEOPLE)["users"]
            )

    with opened(tidy.sandbox, tmp_path / "anew") as anew:
        assert Adoption("users", equal=5) == asyncio.run(run(anew))
        assert 0 == anew.load(users=PEOPLE).requests


def test_an_intent_of_what_the_ledger_knows_needs_no_proof(district: District) -> None:
    """It was ours before the run that was killed."""
    district.load(orgs=[org("d")])
    district.kill(orgs=[org("d", name="New")])

    loaded = district.load(orgs=[org("d", name="Newer")])

    assert ({"orgs": {"updated": 1}}, "Newer") == (
        loaded.counts,
        district.read("orgs", "d")["name"],
    )
    assert {} == district.ledger.intended(KEY)


def test_a_create_of_what_the_target_lost_is_done_when_the_target_shows_it(
    district: District,
) -> None:
    """An answer that is not understood shows nothing."""
    district.load(orgs=[org("d")])
    district.sandbox.store.clear()
    district.twist = lambda request: (
        httpx.Response(200, json={"message": "thank you"})
        if request.method == "POST" and "/orgs" in str(request.url)
        else None
    )

    loaded = district.load(orgs=[org("d", name="New")])

    why = "HTTP 200: an answer that does not say what became of the record"
    assert ({"orgs": {"failed": 1}}, (RecordProblem("orgs", "d", "failed", why),)) == (
        loaded.counts,
        loaded.troubles,
    )
