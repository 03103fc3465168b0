"""Requests in an order that chance does not change, and a broken law does."""

from __future__ import annotations

import json
import random

from tests.golden.ledger import Rows, changes
from tests.golden.ordering import Order
from tests.golden.requests import Request


def create(collection: str, sourced_id: str, *names: str) -> Request:
    """A create of a record that names others."""
    record = {"sourcedId": sourced_id, "parents": [{"sourcedId": one} for one in names]}
    return Request(
        "POST", f"/ims/oneroster/rostering/v1p2/{collection}/", {}, json.dumps({"record": record})
    )


def request(method: str, collection: str, sourced_id: str, body: str = "") -> Request:
    """A request about a record."""
    return Request(method, f"/ims/oneroster/rostering/v1p2/{collection}/{sourced_id}", {}, body)


def ordered(requests: list[Request]) -> list[str]:
    """Say which record each request is about."""
    return [f"{one.method} {one.address[1]}" for one in Order().over(requests)]


def test_what_is_sent_at_once_is_sorted_by_id() -> None:
    """Whatever came first."""
    users = [create("users", str(number)) for number in range(9)]
    shuffled = random.Random(1).sample(users, len(users))

    assert ordered(users) == ordered(shuffled)


def test_a_record_stays_behind_those_that_it_names() -> None:
    """One that came before them stands in another place: a law was broken."""
    district, school = create("orgs", "z-district"), create("orgs", "a-school", "z-district")

    assert ["POST z-district", "POST a-school"] == ordered([district, school])
    assert ["POST a-school", "POST z-district"] == ordered([school, district])


def test_a_delete_stays_before_that_of_the_record_it_names() -> None:
    """Children first."""
    order = Order()
    order.over([create("orgs", "a-district"), create("orgs", "z-school", "a-district")])
    deletes = [request("DELETE", "orgs", "z-school"), request("DELETE", "orgs", "a-district")]

    assert ["z-school", "a-district"] == [one.address[1] for one in order.over(deletes)]
    assert ["a-district", "z-school"] == [one.address[1] for one in order.over(deletes[::-1])]


def test_deletes_stay_behind_what_is_written() -> None:
    """Unless they came before."""
    update, delete = request("PUT", "enrollments", "z", "{}"), request("DELETE", "enrollments", "a")

    assert ["PUT z", "DELETE a"] == ordered([update, delete])
    assert ["DELETE a", "PUT z"] == ordered([delete, update])


def test_collections_and_the_requests_about_one_record_stay_in_order() -> None:
    """A record is read before it is written; users come before classes."""
    came = [
        request("GET", "users", "b"),
        request("GET", "users", "a"),
        request("PUT", "users", "b", "{}"),
        request("PUT", "users", "a", "{}"),
        create("classes", "0"),
    ]

    assert ["GET a", "PUT a", "GET b", "PUT b", "POST 0"] == ordered(came)


def test_addresses_of_two_parts_are_understood() -> None:
    """Collections below courses, and a list, which is about no record."""
    component = Request("GET", "/ims/oneroster/rostering/v1p2/courses/components/c%2F1", {})

    assert ("courses/components", "c%2F1") == component.address
    assert ("users", "") == Request(
        "GET", "/ims/oneroster/rostering/v1p2/users/?limit=10", {}
    ).address
    assert ("/oauth2/token", "") == Request("POST", "/oauth2/token", {}, "grant_type=x").address


def test_rows_of_the_ledger_are_sorted_by_their_placeholders() -> None:
    """The id of a plan depends on the port; the old row of a key stands before the new one."""
    before = Rows(["plans | id=bb | status=open", "feeds | id=1"])
    after = Rows(["plans | id=aa | status=open", "plans | id=bb | status=sent", "feeds | id=1"])

    found = changes(
        before, after, lambda line: line.replace("=bb", "=PLAN1").replace("=aa", "=PLAN2")
    )

    assert [
        "- plans | id=PLAN1 | status=open",
        "+ plans | id=PLAN1 | status=sent",
        "+ plans | id=PLAN2 | status=open",
    ] == found
