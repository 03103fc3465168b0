"""Parents first, as a law over generated rosters: what the target hears, in the order in which it hears it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.laws.conftest import world
from tests.laws.strategies import CARRIED, Dirt, dirt, rosters
from tests.laws.test_laws import spoiled
from tests.oneroster.odd import Met, odd
from tests.rosters import Rows
from tests.strength import expensive


@expensive(12, 3)
@given(st.lists(st.tuples(rosters(), st.lists(dirt(), max_size=2)), min_size=1, max_size=2))
def test_no_request_names_a_record_that_is_not_there_yet(
    nights: list[tuple[Rows, list[Dirt]]],
) -> None:
    """Over several nights: whoever is written refers to nobody whom the target does not hold."""
    heard: list[str] = []
    early: list[tuple[str, str, str]] = []

    def look(met: Met) -> None:
        heard.append(met.method)
        early.extend(
            (met.method, met.sourced_id, one) for one in referred(met.record) if not there(met, one)
        )

    with odd(look) as sandbox, world(sandbox) as one:
        for rows, faults in nights:
            one.approved(spoiled(rows, faults))

    assert [] == early
    assert heard


def referred(record: Any) -> Iterator[str]:
    """Give the ids of the records to which a record refers."""
    for value in (
        record.values() if isinstance(record, dict) else record if isinstance(record, list) else ()
    ):
        if isinstance(value, dict) and "sourcedId" in value:
            yield value["sourcedId"]
        yield from referred(value)


def there(met: Met, sourced_id: str) -> bool:
    """Tell whether the target holds a record with an id."""
    return sourced_id == met.sourced_id or any(met.store.has(name, sourced_id) for name in CARRIED)
