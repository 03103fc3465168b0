"""The laws over course structure, resources and the gradebook, over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from connectors.oneroster.sandbox import Sandbox
from tests.laws.conftest import World, world
from tests.laws.strategies import rosters
from tests.learning import learning, school
from tests.loads import Loads
from tests.rosters import Rows, changed, delta, district, without
from tests.strength import expensive

CREATED = {name: len(table) for name, table in learning().items()}


@pytest.fixture
def loaded(sandbox: Sandbox, loads: Loads) -> Iterator[World]:
    """Load the school, and forget the requests."""

    def load() -> bool:
        result = one.sync(school())
        return ("done", 0) == (result.status, result.total("rejected"))

    with world(sandbox) as one:
        loads.begin("the school", one.folder / "state", load, sandbox)
        one.forget()
        yield one


def sent(one: World) -> list[str]:
    """The writes, as `METHOD id`."""
    return [f"{method} {path.rsplit('/', 1)[-1]}" for method, path in one.writes]


def test_everything_arrives_and_is_read_back(loaded: World) -> None:
    """Parents first, whatever the order of rows; days are moments, parts are folded, metadata is typed."""
    store = loaded.sandbox.store
    lesson, top = (
        store.get("courseComponents", "l1") or {},
        store.get("courseComponents", "u1") or {},
    )
    work, mark = store.get("lineItems", "w1") or {}, store.get("results", "r9") or {}

    carried = {
        name
        for name in CREATED
        if name
        not in ("lineItemLearningObjectiveIds", "lineItemScoreScales", "resultLearningObjectiveIds")
    }
    assert {name: CREATED[name] for name in carried} == {
        name: store.count(name) for name in carried
    }
    assert ({"sourcedId": "m1"}, {"sourcedId": "m1"}) == (
        lesson["parent"],
        lesson["courseComponent"],
    )
    assert (None, None) == (top["parent"], top["courseComponent"])
    assert ["2026-09-01T00:00:00.000Z", "2026-09-08T23:59:59.000Z"] == [
        work["assignDate"],
        work["dueDate"],
    ]
    assert ({"sourcedId": "abc"}, [{"source": "unknown", "learningObjectiveIds": ["add"]}]) == (
        work["scoreScale"],
        work["learningObjectiveSet"],
    )
    assert [
        {
            "source": "unknown",
            "learningObjectiveResults": [{"learningObjectiveId": "add", "score": 3.0}],
        }
    ] == mark["learningObjectiveSet"]
    assert {"type": "video", "seconds": 90} == (store.get("resources", "v") or {})["metadata"]


def test_the_same_again_sends_nothing(loaded: World) -> None:
    """Nor does another order of rows, or another id of a link that has none in the API."""
    rows = {name: table[::-1] for name, table in school().items()}
    renamed = changed(rows, "o1", sourcedId="another")

    assert (0, 0) == (loaded.sync(rows).requests, loaded.sync(renamed).requests)


def test_moving_a_component_is_one_write(loaded: World) -> None:
    """The new parent stands under both of its names; so does none, at the top."""
    loaded.sync(changed(school(), "m1", parentSourcedId="u2"))
    module = loaded.sandbox.store.get("courseComponents", "m1") or {}
    assert (["PUT m1"], {"sourcedId": "u2"}, {"sourcedId": "u2"}) == (
        sent(loaded),
        module["parent"],
        module["courseComponent"],
    )

    loaded.sync(changed(school(), "m1", parentSourcedId=""))
    module = loaded.sandbox.store.get("courseComponents", "m1") or {}
    assert (None, None) == (module["parent"], module["courseComponent"])


def test_a_moved_component_keeps_what_an_app_wrote(loaded: World) -> None:
    """An update reads first."""
    store = loaded.sandbox.store
    store.put(
        "courseComponents", (store.get("courseComponents", "m1") or {}) | {"metadata": {"xp": 5}}
    )

    loaded.sync(changed(school(), "m1", sortOrder="3"))

    module = store.get("courseComponents", "m1") or {}
    assert (3, {"xp": 5}) == (module["sortOrder"], module["metadata"])


def test_a_lesson_is_removed_after_its_links(loaded: World) -> None:
    """Deletes go children first, over entities and within a tree."""
    rest = changed(without(school(), "l1", "m1", "k1"), "a1", componentResourceSourcedId="")
    plan = loaded.sync(rest).plan
    loaded.forget()

    loaded.sync(rest, plan)

    assert ["DELETE k1", "DELETE l1", "DELETE m1"] == sent(loaded)


@pytest.mark.parametrize("mode", ["bulk", "delta"])
def test_a_cycle_of_components_is_refused(mode: str, loaded: World) -> None:
    """The target keeps the tree that it has; a delta is judged with what was loaded."""
    rows = changed(school(), "u1", parentSourcedId="l1")
    if mode == "delta":
        rows = delta(
            {
                "courseComponents": [
                    row for row in rows["courseComponents"] if row["sourcedId"] == "u1"
                ]
            }
        )

    result = loaded.sync(rows, mode=mode)

    errors = (
        result.findings.errors.filter(entity="courseComponents").select("sourcedId", "rule").rows()
    )
    assert ("u1", "cycle_refused") in errors
    assert ([], 0) == (loaded.writes, result.total("vanished"))


def test_what_hangs_on_a_missing_unit_stays_where_it_is(loaded: World) -> None:
    """Before a person has approved that the unit goes, nothing below it moves."""
    result = loaded.sync(without(school(), "u1"))

    rejected = set(result.findings.errors.select("sourcedId", "rule").rows())
    assert {("m1", "dangling"), ("l1", "parent_rejected"), ("k1", "parent_rejected")} <= rejected
    assert ("held", []) == (result.status, loaded.writes)


def test_what_an_object_in_metadata_loses_is_cleared(loaded: World) -> None:
    """Value by value; what an app wrote into it stays."""
    store = loaded.sandbox.store
    for cell, left in (
        ('{"a": 1, "b": {"c": 2}}', {"a": 1, "b": {"c": 2}}),
        ('{"a": 1}', {"a": 1, "b": {"c": None}, "app": 1}),
        ("", {"a": None, "b": {"c": None}, "app": 1}),
    ):
        rows = changed(school(), "v", **{"metadata.extra": cell})
        rows["resources"].append(
            {"sourcedId": "v2", "title": "Two", "vendorResourceId": "v-2", "metadata.extra": "x"}
        )
        loaded.sync(rows)
        record = store.get("resources", "v") or {}
        assert left == record["metadata"]["extra"]
        record["metadata"]["extra"]["app"] = 1
        store.put("resources", record)


def test_a_changed_part_updates_its_record(loaded: World) -> None:
    """A link file's row is a part of its line item."""
    loaded.sync(changed(school(), "o1", learningObjectiveId="carry"))

    work = loaded.sandbox.store.get("lineItems", "w1") or {}
    assert (["PUT w1"], ["carry"]) == (
        sent(loaded),
        work["learningObjectiveSet"][0]["learningObjectiveIds"],
    )


def test_a_delta_adds_an_objective_and_takes_none_away(loaded: World) -> None:
    """What a delta does not speak of stays."""
    names = ("lineItems", "lineItemLearningObjectiveIds", "lineItemScoreScales")
    rows = changed(
        {name: school()[name] for name in names}, "o1", sourcedId="o2", learningObjectiveId="carry"
    )

    loaded.sync(delta(rows), mode="delta")

    work = loaded.sandbox.store.get("lineItems", "w1") or {}
    assert ["add", "carry"] == sorted(work["learningObjectiveSet"][0]["learningObjectiveIds"])


def test_two_scales_of_one_line_item_reject_it(loaded: World) -> None:
    """The API has room for one: which is meant is not guessed."""
    rows = school()
    rows["lineItemScoreScales"].append(rows["lineItemScoreScales"][0] | {"sourcedId": "ls2"})

    result = loaded.sync(rows)

    assert ("lineItemScoreScales", "second_part") in result.findings.errors.select(
        "entity", "rule"
    ).rows()
    assert [] == loaded.writes


def test_what_a_target_drops_is_told_and_counted(loaded: World) -> None:
    """Links of courses to resources have no place there."""
    links = [
        {"sourcedId": f"cr{n}", "courseSourcedId": "co", "resourceSourcedId": "v"} for n in range(2)
    ]

    result = loaded.sync(school() | {"courseResources": links})

    assert [("courseResources.csv", 2)] == [
        (one.file, one.count) for one in result.findings.notices if one.rule == "not_carried"
    ]
    assert [] == loaded.writes


def test_a_resource_without_a_title_is_rejected_by_the_target_alone(loaded: World) -> None:
    """The standard leaves it open; its links follow."""
    result = loaded.sync(changed(school(), "v", title=""))

    errors = result.findings.errors.select("entity", "sourcedId", "rule").rows()
    assert {
        ("resources", "v", "target_required"),
        ("componentResources", "k1", "target_parent"),
    } <= set(errors)
    assert (0, []) == (result.total("vanished"), loaded.writes)


@expensive(12)
@given(rosters(), st.data())
def test_any_move_is_one_write(sandbox: Sandbox, rows: Rows, data: st.DataObject) -> None:
    """Whatever the tree, the last component moves to the top or under another with one PUT."""
    components = rows.get("courseComponents", [])
    assume(len(components) > 1)
    last = components[-1]
    to = data.draw(st.sampled_from(["", *(one["sourcedId"] for one in components[:-1])]))
    assume(to != last["parentSourcedId"])
    with world(sandbox) as one:
        one.sync(rows)
        one.forget()

        one.sync(changed(rows, last["sourcedId"], parentSourcedId=to))

        assert [f"PUT {last['sourcedId']}"] == sent(one)
        assert ({"sourcedId": to} if to else None) == (
            sandbox.store.get("courseComponents", last["sourcedId"]) or {}
        ).get("parent")


def test_the_gradebook_needs_one_request_for_each_record(sandbox: Sandbox) -> None:
    """No read, no second try."""
    with world(sandbox) as one:
        one.sync(district())
        one.forget()

        result = one.sync(school())

        carried = [name for name in result.counts if name not in district()]
        created = sum(result.counts[name]["created"] for name in carried)
        assert (created, created) == (result.total("created"), len(one.sandbox.requests))
