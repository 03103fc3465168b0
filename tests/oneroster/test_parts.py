"""A batch in parts: dealt out, run elsewhere, and put together as if it had never been divided."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connectors.oneroster.operations import Operation
from connectors.oneroster.outcomes import RecordResult
from connectors.oneroster.processes import Batch, BatchReply, join_replies, lost_reply, split_batch


def errands(count: int) -> list[Operation]:
    """So many errands, each with an id of its own."""
    return [Operation("orgs", "create", {"sourcedId": str(number)}) for number in range(count)]


def run(part: Batch) -> BatchReply:
    """Answer each errand with its own id."""
    return BatchReply(
        {
            place: RecordResult("created", errand.record["sourcedId"])
            for place, errand in enumerate(part.errands)
        },
        "",
    )


@given(st.integers(0, 60), st.integers(1, 10), st.integers(1, 12))
def test_each_result_comes_back_to_its_errand(count: int, at_once: int, processes: int) -> None:
    """Whatever the number of errands, of requests at once and of processes; never more at once than allowed."""
    parts = split_batch(errands(count), at_once, processes)
    results, error = join_replies([run(part) for part in parts])

    assert {place: str(place) for place in range(count)} == {
        place: result.detail for place, result in results.items()
    }
    assert (at_once, None) == (sum(part.at_once for part in parts), error)
    assert [] == [part for part in parts if not part.errands and count]


def test_of_a_part_that_is_lost_nobody_knows_what_was_sent() -> None:
    """Its records wait and stay intended, the others count, and the load breaks off with a sentence."""
    first, second = split_batch(errands(5), 10, 2)
    results, error = join_replies(
        [run(first), lost_reply(second, "A process was lost. Run again.")]
    )

    assert {0, 2, 4} == {place for place, result in results.items() if result.arrived}
    assert [("waiting", False)] * 2 == [
        (results[place].term, results[place].settled) for place in (1, 3)
    ]
    assert "A process was lost. Run again." == str(error)
